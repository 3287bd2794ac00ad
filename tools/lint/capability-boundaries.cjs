/**
 * A capability is a folder, at the same address in every package, and capabilities do not know each other: what one asks of another goes through
 * the engine, as a delivery, a timer or a read of a sibling. So no file in a capability's folder imports another capability's folder, neither by
 * a path nor by a library's entry.
 *
 * One exception: the type that a sibling shows is a type of its domain (`import type … from '@sluice/domain/<capability>'`).
 */
const { readdirSync } = require('node:fs');
const { join, posix, relative, resolve, sep } = require('node:path');

const ROOT = resolve(__dirname, '../..');
/** As in tools/codegen: packages of protos that every capability uses. */
const ENGINE_PROTOS = new Set(['log', 'projection', 'scheduler']);

const capabilities = new Set(readdirSync(join(ROOT, 'protos', 'sluice')).filter((name) => !ENGINE_PROTOS.has(name)));

/** Package and capability of a path in the workspace, like "libs/domain" and "account"; undefined: it is in no capability's folder. */
function placeOf(path) {
  const [, packageFolder, capability] =
    /^((?:apps|libs|tools)\/[^/]+)\/src\/([^/]+)(?:\/|$)/.exec(path) ?? /^(test\/simulation)\/([^/]+)(?:\/|$)/.exec(path) ?? [];
  return capabilities.has(capability) ? { packageFolder, capability } : undefined;
}

/** The capability that the import leads to; undefined: none. */
function targetOf(imported, from) {
  if (imported.startsWith('.')) return placeOf(posix.normalize(posix.join(posix.dirname(from), imported)))?.capability;
  const [, entry] = /^@sluice\/[^/]+\/([^/]+)/.exec(imported) ?? [];
  return capabilities.has(entry) ? entry : undefined;
}

module.exports = {
  meta: {
    type: 'problem',
    docs: { description: "forbid one capability's folder to import another's" },
    schema: [],
    messages: { crossed: '"{{own}}" imports "{{other}}": capabilities know each other through the engine only (deliveries, timers, reads of a sibling).' },
  },
  create(context) {
    const path = relative(ROOT, resolve(context.filename)).split(sep).join('/');
    const own = placeOf(path)?.capability;
    if (own === undefined) return {};
    const check = (node, source, typesOnly) => {
      if (typeof source?.value !== 'string') return;
      const other = targetOf(source.value, path);
      if (other === undefined || other === own) return;
      if (typesOnly && source.value === `@sluice/domain/${other}`) return;
      context.report({ node, messageId: 'crossed', data: { own, other } });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source, node.importKind === 'type'),
      ExportNamedDeclaration: (node) => check(node, node.source, node.exportKind === 'type'),
      ExportAllDeclaration: (node) => check(node, node.source, node.exportKind === 'type'),
      ImportExpression: (node) => check(node, node.source, false),
    };
  },
};
