// A Plotly chart that takes new data in place: zoom, hover and hidden traces stay while a search goes on. Streamlit's own
// chart is mounted anew whenever its figure changes. The library is the copy that comes with the Python package.

const charts = new WeakMap();

// The server serves the file as plain text, which no browser runs from a script tag; a blob has the right type.
function library(url) {
  window.svgePlotly ??= (async () => {
    const reply = await fetch(url);
    if (!reply.ok) throw new Error(`${url}: ${reply.status}`);
    const source = URL.createObjectURL(new Blob([await reply.text()], { type: "text/javascript" }));
    await new Promise((resolve, reject) => {
      const script = Object.assign(document.createElement("script"), { src: source, onload: resolve, onerror: reject });
      document.head.append(script);
    });
    URL.revokeObjectURL(source);
    return window.Plotly;
  })().catch((error) => {
    window.svgePlotly = undefined;
    throw error;
  });
  return window.svgePlotly;
}

async function draw(state) {
  if (state.busy) return; // the newest figure is drawn when this one is done
  state.busy = true;
  try {
    const plotly = await library(state.data.library);
    while (state.drawn !== state.data.figure && !state.gone) {
      const figure = state.data.figure;
      const { data, layout } = JSON.parse(figure);
      await plotly.react(state.host, data, { ...layout, autosize: true }, state.data.config);
      state.drawn = figure;
      if (!state.observer) watch(state, plotly);
      state.host.dataset.longest = Math.max(0, ...data.filter((t) => t.customdata).map((t) => t.x.length ?? 0));
      state.host.dataset.draws = Number(state.host.dataset.draws ?? 0) + 1;
    }
  } catch (error) {
    console.warn("The live chart cannot be drawn:", error);
    state.component.setStateValue("status", "failed");
  } finally {
    state.busy = false;
  }
}

function watch(state, plotly) {
  state.observer = new ResizeObserver(() => state.host.offsetWidth && plotly.Plots.resize(state.host));
  state.observer.observe(state.host);
  state.host.on("plotly_relayout", () => {
    const { xaxis } = state.host._fullLayout;
    state.host.dataset.range = xaxis.range.map((end) => Number(end).toFixed(3)).join(" ");
  });
  state.purge = () => plotly.purge(state.host);
}

export default function (component) {
  const parent = component.parentElement;
  let state = charts.get(parent);
  if (!state) {
    state = { host: parent.querySelector(".live-chart") };
    charts.set(parent, state);
  }
  state.component = component;
  state.data = component.data;
  state.host.setAttribute("aria-label", state.data.alt);
  state.host.dataset.key = state.data.key;
  state.host.style.height = `${state.data.height}px`;
  draw(state);
  return () => {
    state.gone = true;
    charts.delete(parent);
    state.observer?.disconnect();
    state.purge?.();
  };
}
