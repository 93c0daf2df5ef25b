//! A person does whatever can be done, in any order; every answer is that of a simple model.

use dalsegno::fuzzing::{Place, VERB, Verb, play};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::common::effort;

fn verbs(most: usize) -> impl Strategy<Value = Vec<Verb>> {
    let verb = any::<[u8; VERB]>().prop_map(Verb::of);
    vec(verb, 1..most)
}

fn cases(normal: u32, long: u32) -> ProptestConfig {
    ProptestConfig {
        cases: effort(normal, long),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(150, 20_000))]

    #[test]
    fn in_memory(verbs in verbs(120)) {
        play(&Place::Memory, &verbs);
    }
}

proptest! {
    #![proptest_config(cases(30, 4_000))]

    #[test]
    fn in_a_file(verbs in verbs(120)) {
        let folder = tempfile::tempdir().unwrap();
        play(&Place::File(folder.path().join("store.db")), &verbs);
    }
}

/// The same session again and again: saves, restores, steps back and forth, the trash.
fn of_one_session(most: usize) -> impl Strategy<Value = Vec<Verb>> {
    const KINDS: [u8; 21] = [
        0, 1, 8, 9, 10, 17, 19, 21, 22, 31, 32, 33, 36, 37, 40, 41, 45, 46, 49, 51, 57,
    ];
    let verb = (any::<[u8; VERB]>(), 0..KINDS.len()).prop_map(|(mut bytes, kind)| {
        bytes[0] = KINDS[kind];
        // References by id have none.
        bytes[1] = 0;
        Verb::of(bytes)
    });
    vec(verb, 1..most)
}

proptest! {
    #![proptest_config(cases(250, 20_000))]

    #[test]
    fn in_one_session(verbs in of_one_session(80)) {
        play(&Place::Memory, &verbs);
    }
}
