/** Version of this engine, stamped into journals and snapshots. A test keeps it equal to package.json's. */
export const engineVersion = '0.1.0';
