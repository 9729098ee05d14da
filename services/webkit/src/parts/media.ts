/** Whether the screen is as a media query says, for what a style sheet alone cannot do. */
import { onScopeDispose, ref, type Ref } from "vue";

export function useMedia(query: string): Readonly<Ref<boolean>> {
  const list = window.matchMedia(query);
  const fits = ref(list.matches);
  const look = () => (fits.value = list.matches);
  // Safari 13's lists know only addListener; from 14 on both are there
  list.addEventListener("change", look);
  onScopeDispose(() => list.removeEventListener("change", look));
  return fits;
}
