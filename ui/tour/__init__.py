"""The tour: five steps that show what the app is, until a person has seen or dismissed them."""
