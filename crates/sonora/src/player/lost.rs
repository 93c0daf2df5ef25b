//! What is still known of a player whose node is gone, or did not do what it was told.

use std::time::Instant;

use jiff::Timestamp;

use super::{Player, locked};

/// A moment, by the clock that goes on and by the one that says what time it is.
#[derive(Clone, Copy)]
pub(super) struct Lost {
    since: Instant,
    pub(super) at: Timestamp,
}

impl Player {
    /// Nothing is heard of its node since then. Whether its track plays on, nobody knows yet.
    pub(crate) fn lose(&self, since: Instant) {
        let at = Timestamp::now()
            .checked_sub(since.elapsed())
            .unwrap_or(Timestamp::UNIX_EPOCH);
        locked(&self.shared.seat)
            .lost
            .get_or_insert(Lost { since, at });
    }

    pub(super) fn lost(&self) -> Option<Instant> {
        locked(&self.shared.seat).lost.map(|lost| lost.since)
    }

    /// Its node is heard of again, or another one has it.
    pub(crate) fn find(&self) {
        let mut seat = locked(&self.shared.seat);
        (seat.lost, seat.astray) = (None, None);
    }

    /// Its node was read back to play what it says here. One without a socket may be gone the next moment, and nobody
    /// would notice.
    pub(crate) fn held(&self) {
        let mut seat = locked(&self.shared.seat);
        seat.astray = None;
        if seat.node.as_ref().is_some_and(|node| node.is_up()) {
            seat.lost = None;
        }
    }

    /// Whether something was done with it on its node since that was lost: then it needs no finding.
    pub(crate) fn is_found(&self) -> bool {
        let seat = locked(&self.shared.seat);
        let session = seat.node.as_ref().and_then(|node| node.session());
        seat.lost.is_none() && session.is_some() && seat.session == session
    }

    /// Its node may not play what it says here. Answers whether that was not known yet.
    pub(crate) fn stray(&self, why: String) -> bool {
        let mut seat = locked(&self.shared.seat);
        let known = seat.astray.as_ref() == Some(&why);
        seat.astray = Some(why);
        !known
    }

    pub(crate) fn is_astray(&self) -> bool {
        locked(&self.shared.seat).astray.is_some()
    }

    /// Why nobody knows that its node plays what it says here, where that is so.
    pub(crate) fn doubt(&self) -> Option<String> {
        let seat = locked(&self.shared.seat);
        if let Some(why) = &seat.astray {
            return Some(why.clone());
        }
        let at = seat.lost?.at.strftime("%Y-%m-%d %H:%M:%S UTC");
        Some(match &seat.node {
            Some(node) => format!("the node {} does not answer since {at}", node.name()),
            None => format!("on no node since {at}"),
        })
    }

    /// Where its track was when its node was last heard of, in milliseconds: nobody heard it any further.
    pub(crate) fn last_position(&self) -> u64 {
        let lost = self.lost();
        self.locked().position_at(lost.unwrap_or_else(Instant::now))
    }
}
