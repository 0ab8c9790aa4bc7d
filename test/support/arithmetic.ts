/** What an explanation prints as arithmetic, computed by somebody else than who printed it: + × / ( ) min and numbers. */
export function evaluate(text: string): number {
  const tokens = text.replaceAll(/(?<=\d),(?=\d)/g, '').match(/min|[\d.]+|[()+×/,]/g) ?? [];
  let at = 0;
  const take = (token: string): boolean => tokens[at] === token && at++ >= 0;

  function atom(): number {
    if (take('min')) {
      take('(');
      const one = added();
      take(',');
      const other = added();
      take(')');
      return Math.min(one, other);
    }
    if (!take('(')) return Number(tokens[at++]);
    const inner = added();
    take(')');
    return inner;
  }

  function multiplied(): number {
    let result = atom();
    for (;;) {
      if (take('×')) result *= atom();
      else if (take('/')) result /= atom();
      else return result;
    }
  }

  function added(): number {
    let result = multiplied();
    while (take('+')) result += multiplied();
    return result;
  }

  const result = added();
  if (at !== tokens.length) throw new Error(`${text}: nothing is expected behind ${tokens.slice(0, at).join(' ')}`);
  return result;
}
