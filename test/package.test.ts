/** What `npm pack` would ship fits what package.json promises. `npm run package` looks further, at the tarball itself. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const text = (path: string) => readFileSync(join(root, path), 'utf8');

interface PackageJson {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const packageJson = JSON.parse(text('package.json')) as PackageJson;

test('the build has no type errors', () => {
  const built = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', root, '--noEmit'], { encoding: 'utf8' });
  expect(built.stdout).toBe('');
  expect(built.status).toBe(0);
});

describe('every door opens', () => {
  const targets = Object.entries(packageJson.exports).flatMap(([door, target]) =>
    Object.entries(typeof target === 'string' ? { default: target } : target).map(
      ([condition, path]) => [door, condition, path] as const,
    ),
  );

  test.each(targets)('%s has its %s in %s', (_door, _condition, path) => {
    expect(existsSync(join(root, path)), path).toBe(true);
  });

  test('types stand first in each door, else they are not found', () => {
    for (const target of Object.values(packageJson.exports)) {
      if (typeof target !== 'string') expect(Object.keys(target)).toEqual(['types', 'default']);
    }
  });
});

test('the types of every door fit a project that has the dependencies alone, also without skipLibCheck', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-types-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'node_modules/troupe'), { recursive: true });
  for (const name of ['package.json', 'dist']) symlinkSync(join(root, name), join(folder, 'node_modules/troupe', name));
  for (const name of [...Object.keys(packageJson.dependencies), '@types/node', 'undici-types']) {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
  }
  const doors = Object.keys(packageJson.exports).filter((door) => !door.endsWith('.json'));
  const imports = doors.map((door) => `import '${door.replace('.', 'troupe')}';\n`);
  writeFileSync(join(folder, 'doors.mts'), imports.join(''));
  const options = ['--noEmit', '--strict', '--preserveSymlinks', '--skipLibCheck', 'false', '--types', 'node'];
  const compiled = spawnSync(
    join(root, 'node_modules/.bin/tsc'),
    [...options, '--target', 'es2023', '--module', 'nodenext', 'doors.mts'],
    { cwd: folder, encoding: 'utf8' },
  );
  expect(compiled.stdout).toBe('');
});

test('the program has a shebang and may be executed', () => {
  for (const path of Object.values(packageJson.bin)) {
    expect(text(path).split('\n')[0]).toBe('#!/usr/bin/env node');
    expect(statSync(join(root, path)).mode & 0o111).toBe(0o111);
  }
});

test('the lock file fits package.json, and says nothing of where packages came from', () => {
  const lock = JSON.parse(text('package-lock.json')) as { packages: Record<string, Record<string, unknown>> };
  expect(lock.packages['']?.['dependencies']).toEqual(packageJson.dependencies);
  expect(Object.values(lock.packages).filter((entry) => 'resolved' in entry)).toEqual([]);
  const unchecked = Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !('integrity' in entry));
  expect(unchecked.map(([path]) => path)).toEqual([]);
});

test('the lock file is complete on every platform, else `npm ci` refuses it', () => {
  const { packages } = JSON.parse(text('package-lock.json')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined,
    ),
  );
  expect(missing).toEqual([]);
});
