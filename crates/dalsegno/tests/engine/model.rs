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
