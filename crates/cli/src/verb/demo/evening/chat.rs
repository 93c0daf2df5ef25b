//! A chat: a question and its answer arrive; one answer is asked for again.

use serde_json::{Value, json};

use super::text::choose;

/// The step at which the last answer is regenerated.
const REGENERATED: u32 = 60;

const QUESTIONS: [&str; 6] = [
    "The sensor in bed {n} reads {m} percent since noon. Is that dry enough to water?",
    "Can the timer wait {n} hours after rain of {m} mm?",
    "How many grams of seaweed meal for {n} plants, if the bag says {m} per square metre?",
    "I found {n} snails under the boards. Copper tape, or beer?",
    "Please make the plot cover the last {n} days and mark everything below {m} percent.",
    "Would you move the tomatoes after {n} weeks, or leave them where they are?",
];

const ANSWERS: [&str; 6] = [
    "Look at 4 cm under the mulch first. If it crumbles, water {m} minutes in the evening; if it holds together, leave it until tomorrow.",
    "Yes: keep the last rain in a variable and compare. With {m} mm, one watering can be left out; with more than twice that, two.",
    "Half of what the bag says is plenty at this time of year. Weigh {n} grams once and remember how much of the cup that is.",
    "Boards are the better trap: turn them every {n} days and carry what you find to the far end of the garden.",
    "Done below. I read the file once, keep {n} days, and draw a line at {m} percent.\n\n```python\nrecent = [r for r in readings if r.day > today - {n}]\nlow = [r for r in recent if r.percent < {m}]\n```",
    "Leave them. A tomato that is moved after {n} weeks sulks for two, and you would lose the first flowers.",
];

/// Lets an exchange happen.
pub(super) fn step(chat: &mut Value, step: u32) -> Option<()> {
    let now = chat.pointer("/updated_at")?.as_f64()? + 240.0;
    let now = (now * 1e3).round() / 1e3;
    let messages = chat.pointer_mut("/messages")?.as_array_mut()?;
    if step == REGENERATED {
        *messages.last_mut()? = answer(step + 1, now);
    } else {
        messages.push(
            json!({"role": "user", "content": fill(&QUESTIONS, step), "timestamp": now - 60.0}),
        );
        messages.push(answer(step, now));
    }
    *chat.pointer_mut("/updated_at")? = json!(now);
    Some(())
}

fn answer(step: u32, now: f64) -> Value {
    let content = fill(&ANSWERS, step);
    let tokens = content.len() / 4;
    json!({
        "role": "assistant", "content": content, "timestamp": now,
        "usage": {"input_tokens": 22_000 + u64::from(step) * 37 % 900, "output_tokens": tokens},
    })
}

fn fill(templates: &[&str], step: u32) -> String {
    let (n, m) = (2 + step * 7 % 23, 11 + step * 13 % 61);
    let template = choose(templates, u64::from(step));
    template
        .replace("{n}", &n.to_string())
        .replace("{m}", &m.to_string())
}
