// A line of text. What stands in it is sent as a message when it is left and with the Enter key: messages come in
// their order, also those of the buttons, while the values of traits wait for a busy kernel.

function render({ model, el }) {
  el.classList.add("jupyter-widgets", "widget-inline-hbox", "widget-text");
  const add = (name, parent = el) => parent.appendChild(document.createElement(name));
  const label = add("label");
  const input = add("input");
  const list = add("datalist");
  label.className = "widget-label";
  label.style.width = "auto";
  label.htmlFor = input.id = `line-${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
  list.id = `${input.id}-list`;
  input.type = "text";
  input.className = "widget-input";
  let sent = model.get("value"); // what the kernel knows of the line

  function send(event) {
    sent = input.value;
    model.set("value", sent); // not saved: the message carries it
    model.send({ event, value: sent });
  }
  function showValue() {
    if (document.activeElement === input && input.value !== sent) return; // somebody has typed on
    sent = input.value = model.get("value");
  }
  function showRest() {
    label.textContent = model.get("description");
    label.hidden = !label.textContent;
    input.placeholder = model.get("placeholder");
    input.disabled = model.get("disabled");
    const options = model.get("options");
    list.replaceChildren(...options.map((text) => new Option(text, text)));
    if (options.length) input.setAttribute("list", list.id);
    else input.removeAttribute("list");
  }
  // Escape leaves the line as it is; the page that stands beside it, if there is one, has the keys again.
  function leave() {
    input.blur();
    el.closest(".widget-vbox")?.querySelector(".has-keys")?.focus({ preventScroll: true });
  }
  input.addEventListener("change", () => {
    if (input.value !== sent) send("change");
  });
  input.addEventListener("keydown", (event) => {
    event.stopPropagation(); // keys typed here are not the notebook's
    if (event.isComposing) return; // they belong to a letter that is being composed
    if (event.key === "Enter") send("submit");
    if (event.key === "Escape") leave();
  });
  input.addEventListener("keypress", (event) => event.stopPropagation());

  const on = { "change:value": showValue };
  for (const name of ["description", "placeholder", "disabled", "options"]) on[`change:${name}`] = showRest;
  for (const name in on) model.on(name, on[name]);
  showValue();
  showRest();
  return () => {
    for (const name in on) model.off(name, on[name]);
  };
}

export default { render };
