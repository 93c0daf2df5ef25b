//! What is kept before a save that loses items.

use crate::advance::Brought;
use crate::codec::detail::{self, Detail, Origin};
use crate::error::Result;
use crate::guard::{self, GuardPolicy, Loss};
use crate::head::Head;
use crate::job::Job;
use crate::model::{Action, Kind};
use crate::store::{By, NewSnapshot, NewState, Store};

/// The snapshot that keeps the fuller state before `job`, where what it brings has lost items of it without a word.
/// It is a reference: the state itself is there.
///
/// Where items go on purpose, the detail remembers of which state they went.
///
/// # Errors
/// `InvalidInput` where a rule of the guard has no path.
pub(crate) fn fuller(
    head: &Head,
    job: &Job,
    brought: &mut Brought,
    guard: Option<&GuardPolicy>,
    epoch: i64,
    store: &dyn Store,
) -> Result<Option<NewSnapshot>> {
    let (Some(guard), Some(counted), Some(sum)) = (guard, head.counted, head.counted_checksum)
    else {
        return Ok(None);
    };
    if !job.kind.is_history() {
        return Ok(None);
    }
    if matches!(brought.detail.origin, Some(Origin::Import(_))) {
        // Where it came from, what was lost was kept beside it.
        brought.detail.displaced = brought.detail.intent.is_some().then_some(sum);
        return Ok(None);
    }
    let document = match &brought.document {
        // Whoever goes back means the whole of it.
        Some(_) if job.operation.is_some() => None,
        Some((document, _)) => Some(document),
        None => None,
    };
    let Some(document) = document else {
        brought.detail.displaced = Some(sum);
        return Ok(None);
    };
    // A clear stands for itself, also where nothing was left to take away.
    if brought.detail.intent.as_deref().is_some_and(guard::clears) {
        brought.detail.displaced = Some(sum);
        return Ok(None);
    }
    if brought.detail.checksum == sum {
        return Ok(None);
    }
    let Some(before) = head.counted_document(store)? else {
        return Ok(None);
    };
    let lost = guard::loss(&guard.lists, &before, document)?;
    if lost.is_empty() {
        return Ok(None);
    }
    if brought.detail.intent.is_some() {
        brought.detail.displaced = Some(sum);
        return Ok(None);
    }
    let told: Vec<String> = lost.iter().map(Loss::to_string).collect();
    let detail = Detail {
        checksum: sum,
        label: Some(told.join(", ")),
        actor: brought.detail.actor.clone(),
        schema_version: head.counted_version.clone(),
        repaired: head.counted_mark.clone(),
        ..Detail::default()
    };
    Ok(Some(NewSnapshot {
        now: job.now.as_microsecond(),
        created_at: job.now.as_microsecond(),
        kind: Kind::Guard.code(),
        flags: 0,
        size: i64::try_from(before.text_len()).unwrap_or(i64::MAX),
        state: NewState::Same(counted),
        epoch,
        name: None,
        detail: detail::encode(&detail)?,
        operation: None,
        by: By {
            action: Action::Guard,
            ..job.by.clone()
        },
    }))
}
