//! One suite for every store: what the contract of [`Store`] says, put to the test.
//!
//! [`run_all`] runs all of it. What a store does not promise it declares in [`Capabilities`]; no
//! implementation chooses among the tests.

mod commits;
mod exchanges;
mod kit;
mod lasting;
mod ledger;
mod records;
mod scans;
mod views;

use std::sync::Arc;

use self::kit::Kit;
use super::Store;

/// What a store promises beyond the contract that binds all.
#[derive(Clone, Copy, Default)]
pub struct Capabilities<'a> {
    /// Rows outlive the handle that took them. Opens the store that was made last, once more.
    pub reopen: Option<&'a dyn Fn() -> Arc<dyn Store>>,
    /// It may be open several times at once, in one process or in several.
    pub shared: bool,
}

type Check = fn(&Kit<'_>);

/// Everything that is asked of a store, with the name of each question.
const CHECKS: [(&str, Check); 48] = [
    ("what was done stands in the log", ledger::deeds_are_told),
    (
        "what was refused does not stand in the log",
        ledger::what_was_refused_is_not_told,
    ),
    ("an empty store has nothing", scans::nothing_at_first),
    ("rows come back as given", commits::rows_come_back),
    ("extreme values come back", commits::extremes_come_back),
    ("sequence numbers grow", commits::sequence_numbers_grow),
    ("parents are what came before", commits::parents_follow),
    ("the head is the newest", commits::the_head_is_the_newest),
    ("links lead to states", commits::links_are_resolved),
    (
        "a link that leads nowhere adds nothing",
        commits::a_bad_link_adds_nothing,
    ),
    (
        "each session has its outcome",
        commits::each_session_has_its_outcome,
    ),
    ("a moved head is refused", commits::a_moved_head_is_refused),
    (
        "a new session can be made once",
        commits::a_new_session_is_made_once,
    ),
    ("a taken name is refused", commits::a_taken_name_is_refused),
    ("nothing can be committed", commits::nothing_to_commit),
    ("sessions are visited by number", scans::sessions),
    ("scans go both ways from any place", scans::both_ways),
    ("a visit ends when it is told to", scans::visits_end),
    ("names are found in all sessions", scans::names),
    ("notes are found by kind and session", scans::notes),
    ("a view stays as it is", views::a_view_stays),
    (
        "a view stays while records move",
        views::a_view_stays_while_records_move,
    ),
    (
        "a view never sees half a commit",
        views::never_half_a_commit,
    ),
    ("writers do not get lost", views::writers_do_not_get_lost),
    ("a record is found alone", records::alone),
    ("a record is found in a block", records::in_a_block),
    ("a record is found between blocks", records::between_blocks),
    ("records are visited in order", records::visited_in_order),
    ("records are replaced whole", records::replaced_whole),
    (
        "a record that is not as it was is not replaced",
        records::not_replaced,
    ),
    ("exchanged rows come back as put", exchanges::come_back),
    (
        "extreme values of exchanged rows come back",
        exchanges::extremes_come_back,
    ),
    (
        "a row that is not as it is known is not taken",
        exchanges::what_is_taken_must_be_there,
    ),
    (
        "a row is not put where another stands",
        exchanges::where_it_is_put_must_be_free,
    ),
    (
        "places and names change hands",
        exchanges::places_change_hands,
    ),
    ("changes show in a number", exchanges::changes_show),
    (
        "numbers stay given when their rows are gone",
        exchanges::numbers_stay_given,
    ),
    (
        "a commit on an earlier era is refused",
        exchanges::an_era_that_rose,
    ),
    (
        "a session without snapshots takes a first one",
        exchanges::a_session_without_snapshots,
    ),
    (
        "operations come with their snapshots",
        exchanges::operations_come_with_snapshots,
    ),
    (
        "a view stays while rows are exchanged",
        exchanges::a_view_stays,
    ),
    ("one of many takes a row", exchanges::one_of_many_takes_it),
    ("eras are raised", exchanges::eras_are_raised),
    (
        "notes go on together with what they tell of",
        exchanges::notes_go_on_together,
    ),
    ("settling loses nothing", lasting::settling_loses_nothing),
    ("the structure is sound", lasting::structure_is_sound),
    ("rows outlive the handle", lasting::rows_outlive_the_handle),
    ("two handles see each other", lasting::two_handles),
];

/// Puts every question to stores that `fresh` makes, each of them new and empty.
///
/// # Panics
/// Where a store does not keep the contract; the message says which part of it.
pub fn run_all(fresh: &dyn Fn() -> Arc<dyn Store>, capabilities: Capabilities<'_>) {
    for (name, check) in CHECKS {
        let kit = Kit {
            name,
            fresh,
            capabilities,
        };
        check(&kit);
    }
}
