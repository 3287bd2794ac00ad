/** Replaces a method of a class; returns how to put the old one back. */
export function replaceMethod<Target extends object, Name extends keyof Target>(
  prototype: Target,
  name: Name,
  make: (original: Target[Name]) => (this: Target, ...values: never[]) => unknown,
): () => void {
  const original = prototype[name];
  if (typeof original !== 'function') throw new Error(`${String(name)} is not a method: the defect no longer fits the code`);
  prototype[name] = make(original) as Target[Name];
  return () => {
    prototype[name] = original;
  };
}
