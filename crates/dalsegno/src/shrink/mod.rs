//! The shrink guard at work: which lists are guarded, the fuller state that is kept before a save that loses items,
//! what of it is still needed, and what a session's rows say about it. What counts as lost is for
//! [`guard`](crate::guard) to decide.

mod keep;
pub(crate) mod notes;
mod past;
mod thin;

pub(crate) use keep::fuller;
pub(crate) use notes::Guards;
pub(crate) use past::{Kept, Past, Purpose, moment};
pub(crate) use thin::{surplus, thin};
