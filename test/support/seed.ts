/**
 * Properties draw the same cases in every run, so that what fails was broken by the change at hand. `npm run test:explore` draws new ones,
 * and more of them; a failure there prints its seed.
 */
import fc from 'fast-check';

if (process.env['TROUPE_EXPLORE'] === undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_261_122 });
