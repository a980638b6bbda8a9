// Names that a JavaScript module uses and nobody defines: reads the module from standard input, prints a JSON list of
// "line: name". Run as `node --expose-internals undefined_names.cjs`: the parser is the one that Node.js carries.
// Blocks are not scopes of their own here, functions are: enough for a misspelt name, and short.

const { parse } = require("internal/deps/acorn/acorn/dist/acorn");
const { runInNewContext } = require("node:vm");

const LANGUAGE = runInNewContext("Object.getOwnPropertyNames(globalThis)");
const BROWSER = ["AbortController", "Blob", "CustomEvent", "ImageData", "Path2D", "ResizeObserver", "TextDecoder", "URL",
  "atob", "cancelAnimationFrame", "clearTimeout", "console", "document", "fetch", "getComputedStyle", "localStorage",
  "matchMedia", "performance", "requestAnimationFrame", "sessionStorage", "setTimeout", "window"];

const isFunction = (node) => /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
const isNode = (value) => value !== null && typeof value === "object" && typeof value.type === "string";

function children(node) {
  const skipped = {
    MemberExpression: node.computed ? [] : ["property"], Property: node.computed ? [] : ["key"],
    MethodDefinition: node.computed ? [] : ["key"], PropertyDefinition: node.computed ? [] : ["key"],
    LabeledStatement: ["label"], BreakStatement: ["label"], ContinueStatement: ["label"], MetaProperty: ["meta", "property"],
  }[node.type] ?? [];
  return Object.entries(node).filter(([key]) => !skipped.includes(key)).flatMap(([, value]) => value).filter(isNode);
}

function bound(pattern) {
  if (!pattern) return [];
  const inner = { ObjectPattern: pattern.properties, ArrayPattern: pattern.elements }[pattern.type]
    ?? [pattern.left ?? pattern.argument ?? (pattern.type === "Property" ? pattern.value : null)];
  return pattern.type === "Identifier" ? [pattern.name] : inner.flatMap(bound);
}

function declared(node, own = true) {
  const here = [];
  if (node.type === "VariableDeclarator" || node.type === "ClassDeclaration") here.push(...bound(node.id));
  if (node.type === "CatchClause") here.push(...bound(node.param));
  if (node.type === "ImportDeclaration") here.push(...node.specifiers.map((specifier) => specifier.local.name));
  if (isFunction(node)) here.push(...(own ? [...node.params.flatMap(bound), "arguments"] : bound(node.id)));
  return isFunction(node) && !own ? here : [...here, ...children(node).flatMap((child) => declared(child, false))];
}

function undefinedIn(node, scopes) {
  if (node.type === "Identifier") return scopes.some((scope) => scope.has(node.name)) ? [] : [node];
  const inside = isFunction(node) ? [...scopes, new Set([...declared(node), ...bound(node.id)])] : scopes;
  return children(node).flatMap((child) => undefinedIn(child, inside));
}

const tree = parse(require("node:fs").readFileSync(0, "utf-8"), { ecmaVersion: "latest", sourceType: "module", locations: true });
const found = undefinedIn(tree, [new Set([...LANGUAGE, ...BROWSER, ...declared(tree)])]);
console.log(JSON.stringify(found.map((node) => `${node.loc.start.line}: ${node.name}`)));
