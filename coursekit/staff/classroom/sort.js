// Sort a table by a column: numbers from high to low first, names from A to Z; a second click turns the order round.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = head.closest("table"), body = table.tBodies[0];
    const place = [...head.parentElement.children].indexOf(head), number = head.classList.contains("number");
    const first = number ? "descending" : "ascending", second = number ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? second : first;
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const key = row => row.cells[place].textContent.trim();
    const compare = number ? (a, b) => parseFloat(key(a)) - parseFloat(key(b)) : (a, b) => key(a).localeCompare(key(b));
    const rows = [...body.rows].sort(compare);
    if (order === "descending") rows.reverse();
    body.append(...rows);
  });
}
