// The comment on a pull request: written once, and edited from then on.

const markerOf = (key) => `<!-- dsc-audit:${key} -->`;

export function commentBody(key, markdown, code) {
  const text = markdown ?? `**dsc-audit** could not audit the models (exit code ${code}). The job's log says why.`;
  return { marker: markerOf(key), text: `${markerOf(key)}\n${text}` };
}

/** Comments beyond these are not looked through. */
const MAX_PAGES = 20;
const PAGE_SIZE = 100;

/** Writes the comment, or edits the one that is there. Returns what to tell where it did neither. */
export async function commentOn(event, body, { token }, env) {
  const pull = event.pull_request;
  if (!Number.isSafeInteger(pull?.number)) return null;
  if (token === '') return 'There is no token to comment with: the report is in the step summary.';
  if (pull.head?.repo?.full_name !== event.repository?.full_name) {
    return 'Pull requests from forks get no comment: the report is in the step summary.';
  }
  const api = apiOf(env, token);
  try {
    const existing = await ownComment(api, pull.number, body.marker);
    if (existing === null) await api('POST', `issues/${pull.number}/comments`, { body: body.text });
    else await api('PATCH', `issues/comments/${existing}`, { body: body.text });
    return null;
  } catch (error) {
    return `The comment cannot be written (${error.message}): the report is in the step summary.`;
  }
}

function apiOf({ GITHUB_API_URL = 'https://api.github.com', GITHUB_REPOSITORY = '' }, token) {
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'user-agent': 'dsc-audit',
    'x-github-api-version': '2022-11-28',
  };
  return async (method, path, content) => {
    const response = await fetch(`${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/${path}`, {
      method,
      headers,
      ...(content === undefined ? {} : { body: JSON.stringify(content) }),
      signal: AbortSignal.timeout(30_000),
    });
    if (!response.ok) throw new Error(`GitHub answered ${response.status}`);
    return response.json();
  };
}

/** The comment that an earlier run wrote. Anybody can write the marker: only what a bot wrote is edited. */
async function ownComment(api, number, marker) {
  for (let page = 1; page <= MAX_PAGES; page++) {
    const comments = await api('GET', `issues/${number}/comments?per_page=${PAGE_SIZE}&page=${page}`);
    const own = comments.find(({ body, user }) => user?.type === 'Bot' && body?.startsWith(marker));
    if (own !== undefined) return own.id;
    if (comments.length < PAGE_SIZE) return null;
  }
  return null;
}
