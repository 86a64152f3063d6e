// Everything that people wrote (titles, names) goes through here, and is set as text, never as HTML.
export function make(tag, className, text, parent) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

export function makeButton(words, help, act, parent) {
  const button = make("button", "jupyter-button", words, parent);
  button.title = help;
  button.addEventListener("click", act);
  return button;
}
