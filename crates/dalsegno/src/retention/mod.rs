//! Which snapshots stay, and why: decisions only, nothing is read from a store or deleted here.
//!
//! [`Rules`] say what to keep. [`decide`] applies them to the snapshots of one session and gives a
//! [`Decision`] for each, with its [`Reason`]. A [`Policy`] stores rules for the sessions of a pattern;
//! [`choose`] finds the one for a session.
//!
//! # What is promised
//!
//! * Pinned snapshots stay.
//! * Snapshots that the filters ([`Rules::kinds`], [`Rules::tags`]) leave out stay, and no rule counts
//!   them: `kinds: [auto], keep_last: 10` keeps ten automatic snapshots and every manual one.
//! * Guard snapshots stay unless `kinds` names `guard`: they have limits of their own.
//! * What `SESSION@latest` means stays, unless [`Rules::keep_nothing`]: it never means another state
//!   because something was deleted.
//! * With [`Rules::older_than`], nothing younger is deleted.
//! * With keep rules (`keep_last` and the others), whatever one of them keeps stays.
//! * Everything else goes. So `older_than` alone deletes what is older; keep rules alone delete what none
//!   of them keeps; both together delete what is older and kept by none.
//! * Safety snapshots are candidates like others, but no keep rule counts them. Those of the last 24 hours
//!   stay whatever the rules say, because undoing a restore to a file needs them, unless `kinds` names
//!   `safety` or nothing is to be kept. For as long, a cleanup lets the state stay that was the newest before a
//!   restore or rollback to the head, unless nothing is to be kept: an undo leads back to it.
//!
//! So adding a keep rule, raising its number, adding a tag or adding an age to keep rules never deletes
//! more; neither does a clock that is behind; and deciding again on what stayed, with the same rules and the same now, deletes nothing.
//!
//! # What keep rules count
//!
//! `keep_last` counts states in commit order: unchanged references are none, nor are guard and safety
//! snapshots. Pinned ones count.
//!
//! `keep_hourly`, `keep_daily`, `keep_weekly` (ISO weeks) and `keep_monthly` look at the calendar of the time
//! zone they are given. Of the newest N hours that have any snapshot of the history, an unchanged reference
//! too, the last one stays. An hour without a snapshot takes none of the N.
//!
//! * *Clocks that went back*: calendar rules go by `created_at`, and in one period the latest `created_at`
//!   is the last (of equal ones, the later commit); `keep_last` and `SESSION@latest` go by commits.
//!   Periods that begin after now come from a clock that was ahead: each keeps its last snapshot and takes
//!   none of the N, so that a wrong clock, then or now, never costs the hours of a right one.
//! * *Summer time*: the hour that comes twice is two hours; the one that is left out does not exist. Days have
//!   23 to 25 hours. Durations do not know of calendars: `7 days` is 168 hours.
//!
//! # Unchanged references
//!
//! A reference says that nothing had changed since the state before. It is as deletable as anything.
//! Where it stays, the bytes of its state stay with it in any store. The snapshot of that state stays too
//! ([`Reason::Referred`]): references do not count in `SESSION@2026-11-20T10:00` and `SESSION@-2`, so without
//! it, those would silently find an older state.

mod decide;
mod period;
mod policy;
#[cfg(test)]
mod promises;
mod reason;
mod rules;
#[cfg(test)]
mod told;

pub use decide::{Candidate, SAFETY_STAYS, decide};
pub use policy::{Policy, choose};
pub use reason::{Decision, Reason};
pub use rules::Rules;
