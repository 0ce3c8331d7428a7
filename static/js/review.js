// Every page loads this: keys of a section [data-keys], as the person has them (json_script "keymap").
import { wearKeymap } from "./review/keymap.js";
import { listenToKeys } from "./review/keys.js";

wearKeymap();
listenToKeys();
