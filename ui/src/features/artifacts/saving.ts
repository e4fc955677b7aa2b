/** The bytes of an artifact. */

import { Problem } from "~/lib/http";
import { below } from "~/lib/paths";
import { save } from "~/lib/saving";

async function content(id: string): Promise<{ bytes: Blob; name: string }> {
  const answer = await fetch(below(`/api/artifacts/${encodeURIComponent(id)}/content`));
  if (!answer.ok) {
    const told = (await answer.json().catch(() => ({}))) as { detail?: string };
    throw new Problem(answer.status, "", told.detail ?? `The server answered ${answer.status} and did not say why.`);
  }
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "artifact";
  return { bytes: await answer.blob(), name };
}

/** Give the browser what is in an artifact as a file to keep. */
export async function saveArtifact(id: string): Promise<void> {
  const { bytes, name } = await content(id);
  save(bytes, name);
}

/** Kinds of pictures that are shown. What is drawn as an image runs nothing that is in it. */
const SHOWN = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;

export function isShown(mediaType: string): boolean {
  return SHOWN.test(mediaType);
}

/** The address of a picture by its bytes, since the page's policy lets no other be shown. */
export async function pictureAddress(id: string, mediaType: string): Promise<string> {
  const { bytes } = await content(id);
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result as string));
    reader.addEventListener("error", () => reject(new Error("The picture could not be read.")));
    reader.readAsDataURL(new Blob([bytes], { type: mediaType }));
  });
}
