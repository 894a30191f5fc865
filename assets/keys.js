() => {
  // A, T, B, S and U judge in the Annotate tab, unless something is being written or the tab is not on the screen.
  const buttons = { a: "judge-a", t: "judge-tie", b: "judge-b", s: "judge-skip", u: "judge-undo" };
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = document.activeElement;
    if (at && (at.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(at.tagName)) && at.type !== "radio") return;
    const button = document.getElementById(buttons[event.key.toLowerCase()]);
    if (button && button.offsetParent !== null && !button.disabled) {
      event.preventDefault();
      button.click();
    }
  });
}
