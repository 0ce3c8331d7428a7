// Actions on their way, in IndexedDB: they outlive a reload, a crash and an expired session, and all tabs of the person
// share them. Where the browser forbids it they live as long as the page.
import { channelName } from "./page.js";

const DATABASE = "autoannotator";
const STORE = "actions";
const inMemory = [];
let opening = null;

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

// Resolves once it is on the disk. Actions come out in the order of the calls.
export async function put(action) {
  const database = await open();
  try {
    if (!database) throw new Error("no database");
    await promised(storeOf(database, "readwrite").add({ box: channelName(), action }));
  } catch {
    inMemory.push(action);
  }
}

// The oldest actions first.
export async function list() {
  const database = await open();
  if (!database) return [...inMemory];
  const rows = await promised(storeOf(database, "readonly").index("box").getAll(channelName()));
  return [...rows.map((row) => row.action), ...inMemory];
}

export async function drop(ids) {
  for (const id of ids) {
    const at = inMemory.findIndex((action) => action.id === id);
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
