import { startShared } from '../../servers/shared.mjs';

export default () => startShared('kubernetes');
