// Other tabs of the same person in the same project: what is done in one leaves the others.
import { channelName, screen } from "./page.js";

const channel = screen && "BroadcastChannel" in window ? new BroadcastChannel(channelName()) : null;

export function tell(message) {
  channel?.postMessage(message);
}

export function listen(hear) {
  channel?.addEventListener("message", (event) => hear(event.data));
}
