/** What keeps this process alive, in words, with the test file during which it came. */

/** Handle → test file. */
const origins = new WeakMap();

/** Everything that is open now and was not before came during this test file. */
function attributeTo(file) {
  for (const handle of process._getActiveHandles()) if (!origins.has(handle)) origins.set(handle, file);
}

/** One line for each handle; standard streams and unreferenced handles keep nothing alive. */
function openHandles() {
  const handles = process._getActiveHandles().filter((handle) => !isStandardStream(handle) && handle.hasRef?.() !== false);
  const lines = handles.map((handle) => `${describe(handle)}${origins.has(handle) ? `, since ${origins.get(handle)}` : ''}`);
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate').length;
  if (timers > 0) lines.push(`${timers} timers`);
  return lines;
}

function isStandardStream(handle) {
  return [0, 1, 2].includes(handle.fd);
}

function describe(handle) {
  const kind = handle.constructor?.name ?? 'handle';
  switch (kind) {
    case 'ChildProcess':
      return `child process ${handle.pid}: ${handle.spawnargs.join(' ').slice(0, 200)}`;
    case 'Server':
      return `server at ${placeOf(handle.address())}`;
    case 'Socket':
    case 'TLSSocket':
      if (handle.remoteAddress === undefined) return 'pipe';
      return `socket from ${handle.localAddress}:${handle.localPort} to ${handle.remoteAddress}:${handle.remotePort}`;
    case 'MessagePort':
      return 'worker thread or message port';
    default:
      return kind;
  }
}

function placeOf(address) {
  if (address === null) return 'no address';
  return typeof address === 'string' ? address : `${address.address}:${address.port}`;
}

module.exports = { attributeTo, openHandles };
