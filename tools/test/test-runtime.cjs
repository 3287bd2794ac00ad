/**
 * How a test file and what it imports are loaded. jest's own runtime gives each test file everything anew: it reads, compiles and runs grpc-js,
 * the drivers and OpenTelemetry again for each of some hundred files, which took longer than the tests.
 *
 *   module                    compiled            run
 *   of node_modules           once per process    once per process, by Node's own require
 *   of the workspace, .ts     once per process    once per test file: module state does not outlive a test file
 *   of jest                   once per process    once per process; circus, which collects the tests, once per test file
 *
 * The trade: modules cannot be mocked (`jest.mock`). Tests hand in what they want to replace, or spy on an object.
 */
const { createRequire, isBuiltin } = require('node:module');
const { dirname, sep } = require('node:path');
const { Script, constants } = require('node:vm');

const NODE_MODULES = `${sep}node_modules${sep}`;
const CIRCUS_HANDLERS = Symbol.for('EVENT_HANDLERS');
/** What jest's transformer is told: the sources become CommonJS. */
const TRANSFORM_OPTIONS = {
  isInternalModule: false,
  supportsDynamicImport: false,
  supportsExportNamespaceFrom: false,
  supportsStaticESM: false,
  supportsTopLevelAwait: false,
};

/** Path of a source → its JavaScript, and the function that runs it. */
const compiledSources = new Map();
/** Path of a source → path of its source map. */
const sourceMaps = new Map();
/** Folder and name → path, as resolved. */
const resolvedPaths = new Map();
/** Folder → Node's require for it. */
const nodeRequires = new Map();

class TestRuntime {
  constructor(_config, environment, resolver, transformer) {
    this.resolver = resolver;
    this.transformer = transformer;
    this.mocker = environment.moduleMocker;
    this.conditions = [...environment.exportConditions(), 'require', 'default'];
    this.jest = {
      fn: (implementation) => this.mocker.fn(implementation),
      spyOn: (object, method, access) => this.mocker.spyOn(object, method, access),
      restoreAllMocks: () => this.restoreAllMocks(),
    };
    /** Path → module of the workspace, for this test file. */
    this.modules = new Map();
  }

  requireModule(path) {
    return path.endsWith('.ts') && !path.includes(NODE_MODULES) ? this.requireSource(path) : nodeRequire(path)(path);
  }

  /** Modules of jest. The one that is asked for keeps the tests of a file, and what it has registered stays in a global. */
  requireInternalModule(path) {
    delete globalThis[CIRCUS_HANDLERS];
    delete require.cache[path];
    return require(path);
  }

  requireSource(path) {
    const known = this.modules.get(path);
    if (known !== undefined) return known.exports;
    const folder = dirname(path);
    const module = { id: path, filename: path, path: folder, exports: {}, loaded: false, children: [], paths: [] };
    module.require = this.requireFrom(path);
    this.modules.set(path, module);
    try {
      this.compiled(path).call(module.exports, module.exports, module.require, module, path, folder, this.jest);
    } catch (error) {
      this.modules.delete(path);
      throw error;
    }
    module.loaded = true;
    return module.exports;
  }

  requireFrom(path) {
    const require = (name) => (isBuiltin(name) ? nodeRequire(path)(name) : this.requireModule(this.resolve(path, name)));
    require.resolve = (name, options) => (isBuiltin(name) || options !== undefined ? nodeRequire(path).resolve(name, options) : this.resolve(path, name));
    return require;
  }

  resolve(from, name) {
    const key = `${dirname(from)}\0${name}`;
    let path = resolvedPaths.get(key);
    if (path === undefined) resolvedPaths.set(key, (path = this.resolver.resolveModule(from, name, { conditions: this.conditions })));
    return path;
  }

  compiled(path) {
    const { code, sourceMapPath } = this.transformer.transform(path, TRANSFORM_OPTIONS);
    const known = compiledSources.get(path);
    // It differs where jest watches and a source has changed.
    if (known?.code === code) return known.run;
    if (sourceMapPath) sourceMaps.set(path, sourceMapPath);
    const wrapped = `(function (exports, require, module, __filename, __dirname, jest) {${code}\n})`;
    const run = new Script(wrapped, { filename: path, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }).runInThisContext();
    compiledSources.set(path, { code, run });
    return run;
  }

  unstable_shouldLoadAsEsm() {
    return false;
  }

  getSourceMaps() {
    return sourceMaps;
  }

  getAllCoverageInfoCopy() {
    return undefined;
  }

  setGlobalsForRuntime() {
    // They are globals of this process.
  }

  enterTestCode() {
    // Nothing depends on it here.
  }

  leaveTestCode() {
    // Nothing depends on it here.
  }

  restoreAllMocks() {
    this.mocker.restoreAllMocks();
  }

  resetAllMocks() {
    this.mocker.resetAllMocks();
  }

  clearAllMocks() {
    this.mocker.clearAllMocks();
  }

  resetModules() {
    this.modules.clear();
  }

  teardown() {
    this.restoreAllMocks();
    this.resetModules();
  }
}

function nodeRequire(from) {
  const folder = dirname(from);
  let found = nodeRequires.get(folder);
  if (found === undefined) nodeRequires.set(folder, (found = createRequire(from)));
  return found;
}

module.exports = TestRuntime;
