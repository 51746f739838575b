/** Drawings; what they mean is said by the text beside them. */

import type { ComponentChildren } from "preact";

function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.8"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const Microphone = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5 11a7 7 0 0 0 14 0M12 18v3" />
  </Icon>
);

export const MicrophoneOff = () => (
  <Icon>
    <path d="M15 10.5V6a3 3 0 0 0-5.6-1.5M9 9v2a3 3 0 0 0 4.4 2.6M5 11a7 7 0 0 0 10.6 6M19 11a7 7 0 0 1-.6 2.8M12 18v3M4 4l16 16" />
  </Icon>
);

export const Ear = () => (
  <Icon>
    <path d="M4 15v-3a8 8 0 0 1 16 0v3M4 15a2 2 0 0 1 4 0v3a2 2 0 0 1-4 0zM20 15a2 2 0 0 0-4 0v3a2 2 0 0 0 4 0z" />
  </Icon>
);

export const Mouth = () => (
  <Icon>
    <path d="M4 5h16v11h-8l-5 4v-4H4zM8 10.5h8" />
  </Icon>
);

export const Letters = () => (
  <Icon>
    <rect x="3" y="5" width="18" height="14" rx="3" />
    <path d="M10.5 10.5a2 2 0 1 0 0 3M17 10.5a2 2 0 1 0 0 3" />
  </Icon>
);

export const Bubble = () => (
  <Icon>
    <path d="M20 12a8 8 0 0 1-11.6 7.1L4 20l1-4A8 8 0 1 1 20 12z" />
  </Icon>
);

export const Balance = () => (
  <Icon>
    <path d="M4 9v6h4l5 4V5L8 9zM17 9a4 4 0 0 1 0 6" />
  </Icon>
);

export const Exit = () => (
  <Icon>
    <path d="M14 4h5v16h-5M4 12h10M10 8l4 4-4 4" />
  </Icon>
);

export const Cross = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const Send = () => (
  <Icon>
    <path d="M4 12l16-8-5 16-3.5-6.5zM11.5 13.5L20 4" />
  </Icon>
);

/** The page's own mark: two voices. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 40 40" width="40" height="40" aria-hidden="true" focusable="false">
    <path class="mark-back" d="M16 6h14a6 6 0 0 1 6 6v6a6 6 0 0 1-6 6v5l-6-5h-8a6 6 0 0 1-6-6v-6a6 6 0 0 1 6-6z" />
    <path class="mark-front" d="M10 14h12a6 6 0 0 1 6 6v4a6 6 0 0 1-6 6h-7l-6 5v-5a6 6 0 0 1-5-6v-4a6 6 0 0 1 6-6z" />
  </svg>
);
