/** What a scenario has to say, in a form that can be printed and written. */

export type Table = {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/** A figure that was promised not to exceed something. */
export type Bound = {
  readonly what: string;
  readonly measured: number;
  readonly atMost: number;
  /** How both are written, such as `1.52×`. */
  readonly write: (value: number) => string;
};

export type Section = {
  readonly title: string;
  /** What was done, in a sentence or two. */
  readonly about: string;
  readonly tables: readonly Table[];
  readonly bounds: readonly Bound[];
  readonly remarks: readonly string[];
  readonly charts: readonly Chart[];
  /** Other programs took so much of the measured core that the figures say little. */
  readonly isDisturbed: boolean;
  /** For the picture that compares all scenarios. */
  readonly costs: readonly Cost[];
};

/** CPU per token in microseconds, and the ratio with its bound. */
export type Cost = {
  readonly label: string;
  readonly service: number;
  readonly passThrough: number;
  readonly ratio: number;
  readonly atMost: number;
};

/** `file` is a name without a path. */
export type Chart = { readonly file: string; readonly alternative: string; readonly svg: string };
