// What mite's `get` is, written for k6: one request, again and again.
import http from "k6/http";

export default function () {
  http.get(__ENV.URL);
}

export function handleSummary(data) {
  return { [__ENV.SUMMARY]: JSON.stringify(data) };
}
