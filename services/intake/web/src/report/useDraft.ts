/** The draft in the form and those beside it: saved with every change, switched without a loss, gone once sent. */
import { serverNow, type Photo } from "@grid/webkit";
import { onBeforeUnmount, onMounted, reactive, ref, toRaw, watch } from "vue";
import { ifRoom, shelf } from "../outbox";
import { emptyDraft, gapsOf, touched, type Draft, type Gap, type Handling } from "./draft";
import { draftsOf, forgetDraft, keepDraft, type KeptDraft } from "./drafts";

const SAVE_AFTER = 300;

/** Which draft the form shows. The form comes and goes with the pages; null is "the one changed last". */
let shown: string | null = null;

/** The next opening of the form shows this draft. */
export function showNext(id: string): void {
  shown = id;
}

export interface DraftParts {
  account: () => string | null;
  /** What a new draft says about who handles it. */
  handling: () => Handling | null;
}

export function useDraft({ account, handling }: DraftParts) {
  const blank = (): Draft => ({ ...emptyDraft(), handling: handling() });
  const draft = reactive<Draft>(blank());
  const others = ref<KeptDraft[]>([]);
  const gaps = ref<Gap[]>([]);
  const restored = ref(false);
  let saving: ReturnType<typeof setTimeout> | undefined;
  const opener = account();
  /** Whose draft it is, also where the sign-in has just ended and the form gives way to the page that asks for it. */
  const ownerOf = () => account() ?? opener;

  /** A plain copy: proxies cannot be stored. */
  function plain(): Draft {
    const raw = toRaw(draft);
    const photos = raw.photos.map((photo) => toRaw(photo));
    return { ...raw, photos, place: raw.place && { ...raw.place }, pin: raw.pin && { ...raw.pin } };
  }

  /** False: the phone has no room; what is in the form is in the form alone. */
  async function save(): Promise<boolean> {
    clearTimeout(saving);
    const owner = ownerOf();
    if (owner === null) return true;
    const [kept, worth] = [plain(), touched(draft)];
    const store = await shelf();
    if (worth) return await ifRoom(keepDraft(store, owner, kept, Date.now()));
    await forgetDraft(store, owner, kept.id);
    return true;
  }

  function show(next: Draft): void {
    Object.assign(draft, next, { handling: handling() && (next.handling ?? handling()) });
    shown = next.id;
    gaps.value = [];
  }

  async function look(): Promise<KeptDraft[]> {
    const owner = account();
    const all = owner === null ? [] : await draftsOf(await shelf(), owner);
    others.value = all.filter((one) => one.draft.id !== draft.id);
    return all;
  }

  async function restore(): Promise<void> {
    const all = await look();
    const found = shown === null ? all[0] : all.find((one) => one.draft.id === shown);
    if (!found) return;
    show({ ...blank(), ...found.draft });
    restored.value = true;
    others.value = all.filter((one) => one !== found);
  }

  /**
   * Put this one aside and go on with another, or with a new one: at once, so that whatever is tapped next belongs to
   * that one. Where the phone has no room for this one, it stays.
   */
  async function turnTo(next: Draft | null): Promise<void> {
    const [before, saved] = [plain(), save()];
    show(next ?? blank());
    restored.value = false;
    if (!(await saved)) show(before);
    await look();
  }

  /** This one is sent or not wanted. */
  async function clear(): Promise<void> {
    clearTimeout(saving);
    const [owner, gone] = [ownerOf(), draft.id];
    show(blank());
    restored.value = false;
    if (owner !== null) await forgetDraft(await shelf(), owner, gone);
    await look();
  }

  async function drop(id: string): Promise<void> {
    const owner = account();
    if (owner !== null) await forgetDraft(await shelf(), owner, id);
    await look();
  }

  /** The first photo's moment is when the matter was seen, whatever was typed before. Answers that photo, if new. */
  function setPhotos(photos: Photo[]): Photo | null {
    const first = draft.photos.length === 0 ? (photos[0] ?? null) : null;
    if (first) draft.seenAt = first.takenAt ? Math.min(Date.parse(first.takenAt), serverNow()) : serverNow();
    draft.photos = photos;
    return first;
  }

  watch(draft, () => {
    if (draft.seenAt === null && touched(draft)) draft.seenAt = serverNow();
    if (gaps.value.length > 0) gaps.value = gapsOf(draft);
    clearTimeout(saving);
    saving = setTimeout(() => void save(), SAVE_AFTER);
  });

  // A page that is put away or closed does not wait for its timer.
  const hidden = () => document.visibilityState === "hidden" && void save();
  onMounted(() => document.addEventListener("visibilitychange", hidden));
  onBeforeUnmount(() => {
    document.removeEventListener("visibilitychange", hidden);
    void save();
  });

  return { draft, others, gaps, restored, plain, restore, turnTo, clear, drop, setPhotos };
}
