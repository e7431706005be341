// What goes wrong and is known by its kind. Each message is a sentence for the person.

export class Told extends Error {
  forPeople = true;
}

/** The other side cannot be reached or is not well. It may be asked again. */
export class Away extends Told {}

/** Nobody is signed in here any more. */
export class SignedOut extends Told {}
