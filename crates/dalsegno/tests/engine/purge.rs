//! Whatever is deleted and purged, and wherever that is interrupted: what stays is what was saved.

use dalsegno::fuzzing::{STEP, purge};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::common::effort;

proptest! {
    #![proptest_config(ProptestConfig { cases: effort(40, 5_000), ..ProptestConfig::default() })]

    #[test]
    fn what_stays_is_what_was_saved(steps in vec(any::<[u8; STEP]>(), 1..40)) {
        purge(&steps);
    }
}
