// Actions on their way, in IndexedDB: they outlive a reload, a crash and an expired session, and all tabs of the person
// share them. Where the browser forbids it they live as long as the page, in their place among the stored ones.
import { channelName, screen } from "./page.js";

const DATABASE = "autoannotator";
const STORE = "actions";
// Each with the key of the row that this page had stored before it.
const inMemory = [];
let opening = null;
let lastKey = Promise.resolve(0);

function promised(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

function open() {
  opening ??= (async () => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.addEventListener("upgradeneeded", () => {
        request.result.createObjectStore(STORE, { autoIncrement: true }).createIndex("box", "box");
      });
      const database = await promised(request);
      database.addEventListener("close", () => {
        opening = null;
      });
      return database;
    } catch {
      return null;
    }
  })();
  return opening;
}

function storeOf(database, mode) {
  return database.transaction(STORE, mode).objectStore(STORE);
}

async function write(action, after) {
  const database = await open();
  try {
    if (!database) throw new Error("no database");
    const from = { page: location.pathname, project: screen.dataset.name };
    return await promised(storeOf(database, "readwrite").add({ box: channelName(), action, ...from }));
  } catch {
    inMemory.push({ action, after });
    return after;
  }
}

// Resolves once it is on the disk. Actions come out in the order of the calls.
export function put(action) {
  lastKey = lastKey.then((after) => write(action, after));
  return lastKey;
}

// The oldest actions first.
export async function list() {
  const database = await open();
  if (!database) return inMemory.map((one) => one.action);
  const index = storeOf(database, "readonly").index("box");
  const [rows, keys] = await Promise.all([promised(index.getAll(channelName())), promised(index.getAllKeys(channelName()))]);
  const found = rows.map((row, at) => ({ action: row.action, key: keys[at] }));
  // Sorting keeps the order of equals: what the page holds in memory comes behind the row that it had stored before.
  const held = inMemory.map((one) => ({ action: one.action, key: one.after }));
  return [...found, ...held].sort((one, other) => one.key - other.key).map((one) => one.action);
}

// What waits in this browser, whoever it is of: {box, page, project, count} for each person and project.
export async function boxes() {
  const database = await open();
  const rows = database ? await promised(storeOf(database, "readonly").getAll()) : [];
  const found = new Map();
  for (const { box, page, project } of rows) {
    found.set(box, { box, page, project, count: (found.get(box)?.count ?? 0) + 1 });
  }
  return [...found.values()];
}

// Keeps a stored action in this browser, out of the way: it is listed no more.
export async function park(action) {
  await drop(new Set([action.id]));
  const database = await open();
  if (database) await promised(storeOf(database, "readwrite").add({ box: `${channelName()}-parked`, action }));
}

export async function drop(ids) {
  for (const id of ids) {
    const at = inMemory.findIndex((one) => one.action.id === id);
    if (at >= 0) inMemory.splice(at, 1);
  }
  const database = await open();
  if (!database) return;
  const store = storeOf(database, "readwrite");
  const cursors = store.index("box").openCursor(channelName());
  await new Promise((resolve, reject) => {
    cursors.addEventListener("error", () => reject(cursors.error));
    cursors.addEventListener("success", () => {
      const cursor = cursors.result;
      if (!cursor) return resolve();
      if (ids.has(cursor.value.action.id)) cursor.delete();
      cursor.continue();
    });
  });
}
