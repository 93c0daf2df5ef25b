//! Writing a state in the layout of the file it came from.

use serde_json::Value;

/// `state` indented or compact, as `like` is.
pub(super) fn write(state: &Value, like: &[u8]) -> Vec<u8> {
    let text = if like.contains(&b'\n') {
        serde_json::to_vec_pretty(state)
    } else {
        serde_json::to_vec(state)
    };
    // A JSON value can always be written.
    text.unwrap_or_default()
}

/// One of `choices`, another one from step to step.
pub(super) fn choose<'a>(choices: &[&'a str], step: u64) -> &'a str {
    let count = u64::try_from(choices.len()).unwrap_or(1).max(1);
    // An odd multiplier, so that neighbours are not neighbours in the list.
    let index = (step.wrapping_mul(2_654_435_761) >> 7) % count;
    let chosen = usize::try_from(index)
        .ok()
        .and_then(|index| choices.get(index));
    chosen.copied().unwrap_or_default()
}
