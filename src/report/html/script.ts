/** Sorts a table of layers by the column whose head is pressed; a second press turns it round. */
export const SCRIPT = `
for (const table of document.querySelectorAll('table.layers')) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener('click', () => {
      const isFigure = head.classList.contains('figure');
      const now = head.getAttribute('aria-sort');
      const down = now === null ? isFigure : now === 'ascending';
      const key = (row) => {
        const cell = row.cells[column];
        if (!isFigure) return cell.textContent;
        return cell.dataset.value === '' ? null : Number(cell.dataset.value);
      };
      const order = (a, b) => {
        if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
        const sign = isFigure ? a - b : a.localeCompare(b, undefined, { numeric: true });
        return down ? -sign : sign;
      };
      const rows = [...body.rows].map((row) => ({ row, key: key(row) }));
      rows.sort((a, b) => order(a.key, b.key));
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      body.append(...rows.map(({ row }) => row));
    });
  });
}
`;
