import { Match, Show, Switch, createSignal } from "solid-js";
import { useQuery } from "@tanstack/solid-query";
import { Button, IconButton } from "~/components/button";
import { Icon } from "~/components/icon";
import { pictureOf, webAddress } from "~/components/markdown-rules";
import { ErrorNote, Loading } from "~/components/notice";
import { artifactName } from "~/data/artifact-kinds";
import type { Artifact } from "~/data/artifact-kinds";
import { known } from "~/data/queries";
import { bytes } from "~/lib/numbers";
import { isShown, pictureAddress } from "./saving";
import styles from "./artifacts.module.css";

/** Bytes of a picture up to which it is read without being asked for. */
const LARGE = 4_000_000;
const ZOOMS = [0.25, 0.5, 1, 2, 4, 8, 16];

/** A picture of the run. One that lies on another host is a link: the page asks no other host for anything. */
export function Picture(props: {
  artifact: Artifact;
  /** Where it lies, or its bytes as an address; "" where they are kept by the server. */
  address: string;
  mediaType: string;
  size: number;
  onSave: () => void;
}) {
  const [isAsked, setIsAsked] = createSignal(false);
  const isKept = () => !props.address && isShown(props.mediaType);
  const isWanted = () => isKept() && (isAsked() || props.size <= LARGE);
  const kept = useQuery(() => ({
    queryKey: ["picture", props.artifact.id],
    enabled: isWanted(),
    staleTime: Infinity,
    gcTime: 30_000,
    queryFn: () => pictureAddress(props.artifact.id, props.mediaType),
  }));
  const source = () => pictureOf(props.address) || (isWanted() ? known(kept) : undefined);
  return (
    <Switch fallback={<Loading what="the picture" />}>
      <Match when={source()}>
        {(source) => <Zoomed source={source()} label={props.artifact.description || artifactName(props.artifact)} />}
      </Match>
      <Match when={props.address}>
        <div class={styles.linkBox}>
          <Show when={webAddress(props.address)} fallback={<code class="told">{props.address.slice(0, 2_000)}</code>}>
            {(address) => (
              <a class={`${styles.big} told`} href={address()} target="_blank" rel="noopener noreferrer">
                {props.address} <Icon name="external" />
              </a>
            )}
          </Show>
          <p class={styles.note}>
            <Icon name="info" /> The picture lies elsewhere. This page asks no other host for anything, so it is a link.
          </p>
        </div>
      </Match>
      <Match when={!isKept()}>
        <p class={styles.note}>
          A picture of the kind {props.mediaType.slice(0, 100) || "that nobody told"} is not shown.
          <Button icon="download" onClick={() => props.onSave()}>
            Save it ({bytes(props.size)})
          </Button>
        </p>
      </Match>
      <Match when={!isWanted()}>
        <p class={styles.note}>
          A large picture: {bytes(props.size)}.<Button onClick={() => setIsAsked(true)}>Show it</Button>
        </p>
      </Match>
      <Match when={kept.error}>{(error) => <ErrorNote error={error()} retry={() => kept.refetch()} />}</Match>
    </Switch>
  );
}

function Zoomed(props: { source: string; label: string }) {
  /** How many pixels of the screen one of the picture takes; 0 where it is to fit. */
  const [zoom, setZoom] = createSignal(0);
  const [size, setSize] = createSignal<readonly [number, number]>([0, 0]);
  const [broken, setBroken] = createSignal(false);
  let box!: HTMLDivElement;
  let image!: HTMLImageElement;
  const now = () => zoom() || (size()[0] ? image.clientWidth / size()[0] : 1);
  const step = (by: 1 | -1) => {
    const next = by > 0 ? ZOOMS.find((one) => one > now() * 1.01) : ZOOMS.findLast((one) => one < now() * 0.99);
    if (next) setZoom(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+") step(1);
    else if (event.key === "-") step(-1);
    else if (event.key === "0") setZoom(0);
    else return;
    event.preventDefault();
  };
  return (
    <Show
      when={!broken()}
      fallback={<p class={styles.note}>The browser cannot show this picture. It can still be saved.</p>}
    >
      <div class={styles.pictureTools}>
        <IconButton icon="minus" label="Smaller (-)" onClick={() => step(-1)} />
        <IconButton icon="plus" label="Larger (+)" onClick={() => step(1)} />
        <Button kind="quiet" aria-pressed={zoom() === 0} onClick={() => setZoom(0)}>
          Fit
        </Button>
        <Button kind="quiet" aria-pressed={zoom() === 1} onClick={() => setZoom(1)}>
          100 %
        </Button>
        <span class="soft number">
          {size()[0]} × {size()[1]}
          {zoom() ? `, ${zoom() * 100} %` : ""}
        </span>
      </div>
      <div
        ref={box}
        class={styles.picture}
        classList={{ [styles.fit!]: zoom() === 0 }}
        tabIndex={0}
        role="group"
        aria-label={`Picture: ${props.label.slice(0, 300)}`}
        onKeyDown={onKeyDown}
        onDblClick={() => setZoom(zoom() ? 0 : 1)}
      >
        <img
          ref={image}
          src={props.source}
          alt={props.label.slice(0, 300)}
          classList={{ [styles.coarse!]: zoom() >= 2 || (size()[0] > 0 && size()[0] <= 64) }}
          style={{
            width: zoom() ? `${size()[0] * zoom()}px` : size()[0] && size()[0] <= 64 ? `${size()[0] * 4}px` : undefined,
          }}
          onLoad={() => setSize([image.naturalWidth, image.naturalHeight])}
          onError={() => setBroken(true)}
        />
      </div>
    </Show>
  );
}
