use super::*;
use jiff::Timestamp;

fn chat(numbers: impl IntoIterator<Item = usize>) -> String {
    let message = |n| format!("{{\"role\":\"user\",\"content\":\"m{n}\"}}");
    let items: Vec<String> = numbers.into_iter().map(message).collect();
    format!(
        "{{\"messages\":[{}],\"n\":{}}}",
        items.join(","),
        items.len()
    )
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn generation<'a>(state: &'a str, second: i64, intent: Option<&'a str>) -> Generation<'a> {
    Generation {
        state: state.as_bytes(),
        at: at(second),
        intent,
        after: None,
    }
}

fn said(words: &str, second: i64) -> Intent<'_> {
    Intent {
        words,
        at: at(second),
    }
}

fn rules() -> [GuardRule; 1] {
    [GuardRule::new("messages")]
}

fn judged(newest: &str, intents: &[Intent<'_>], generations: &[Generation<'_>]) -> Judgement {
    let judged = judge(&rules(), newest.as_bytes(), intents, generations).unwrap();
    // In whatever order they are given.
    let turned: Vec<_> = generations.iter().rev().copied().collect();
    let other = judge(&rules(), newest.as_bytes(), intents, &turned).unwrap();
    assert_eq!(
        (&other.reason, other.recommendation),
        (&judged.reason, judged.recommendation)
    );
    judged
}

fn restored(newest: &str, intents: &[Intent<'_>], generations: &[Generation<'_>]) -> String {
    let Merged::Done(merge) = restore(&rules(), newest.as_bytes(), intents, generations).unwrap()
    else {
        panic!("undecided")
    };
    String::from_utf8(merge.text).unwrap()
}

/// Only the list; the count beside it is the newest state's.
fn list(text: &str) -> &str {
    text.rsplit_once(']').unwrap().0
}

#[test]
fn a_thousand_then_fifty_then_thirty() {
    let (thousand, fifty, thirty) = (chat(0..1000), chat(950..1000), chat(970..1000));
    let generations = [generation(&thousand, 1, None), generation(&fifty, 2, None)];
    let judgement = judged(&thirty, &[], &generations);
    let GuardStatus::ShrunkByAccident { lost, generation } = &judgement.status else {
        panic!("{judgement:?}")
    };
    assert_eq!((lost[0].lost.len(), *generation), (970, 0));
    assert_eq!(judgement.recommendation, Recommendation::Restore);
    assert_eq!(
        judgement.reason,
        "messages: 970 of 1000 lost; nothing is newer"
    );
    let all = restored(&thirty, &[], &generations);
    assert_eq!(list(&all), list(&thousand));
    assert_eq!(judged(&all, &[], &generations).status, GuardStatus::Fine);
    assert_eq!(judged(&thousand, &[], &[]).status, GuardStatus::Fine);
}

#[test]
fn ten_then_eight_then_nine() {
    let (ten, nine) = (chat(0..10), chat((0..8).chain([20])));
    let generations = [generation(&ten, 1, None)];
    let judgement = judged(&nine, &[], &generations);
    assert!(
        matches!(
            judgement.status,
            GuardStatus::Diverged {
                newer: 1,
                generation: 0,
                ..
            }
        ),
        "{judgement:?}"
    );
    assert_eq!(judgement.recommendation, Recommendation::Merge);
    assert_eq!(
        judgement.reason,
        "messages: 2 of 10 lost; 1 newer item stays"
    );
    assert_eq!(
        list(&restored(&nine, &[], &generations)),
        list(&chat((0..10).chain([20])))
    );
}

#[test]
fn an_emptied_chat_is_an_accident_unless_it_says_so() {
    let (ten, none) = (chat(0..10), chat(0..0));
    let by_accident = [generation(&ten, 1, None)];
    assert_eq!(
        judged(&none, &[], &by_accident).recommendation,
        Recommendation::Restore
    );
    assert_eq!(list(&restored(&none, &[], &by_accident)), list(&ten));
    for (intents, intent) in [
        (vec![], Some("clear")),
        (vec![said("clear", 1)], Some("clear")),
    ] {
        let on_purpose = [generation(&ten, 1, intent)];
        let judgement = judged(&none, &intents, &on_purpose);
        let intent = "clear".to_owned();
        assert_eq!(judgement.status, GuardStatus::ShrunkOnPurpose { intent });
        assert_eq!(judgement.recommendation, Recommendation::Nothing);
        assert_eq!(restored(&none, &intents, &on_purpose), none);
    }
}

#[test]
fn a_clear_after_an_accident_is_a_clear() {
    let (ten, five, one) = (chat(0..10), chat(0..5), chat(30..31));
    let clear = generation(&five, 2, Some("clear by user"));
    for generations in [
        vec![generation(&ten, 1, None), clear],
        vec![generation(&ten, 1, None)],
    ] {
        let intents = [said("clear by user", 2)];
        let judgement = judged(&one, &intents, &generations);
        let intent = "clear by user".to_owned();
        assert_eq!(judgement.status, GuardStatus::ShrunkOnPurpose { intent });
        assert_eq!(restored(&one, &intents, &generations), one);
    }
    // An accident after it is one.
    let generations = [clear, generation(&one, 3, None)];
    assert_eq!(list(&restored(&chat(0..0), &[], &generations)), list(&one));
    // Before it, or another word: that is no clear.
    let early = judged(&five, &[said("clear", 1)], &[generation(&ten, 1, None)]);
    assert_eq!(early.recommendation, Recommendation::Restore);
    let other = judged(&five, &[said("clearly", 2)], &[generation(&ten, 1, None)]);
    assert_eq!(other.recommendation, Recommendation::ByHand);
}

#[test]
fn what_was_undone_stays_undone_and_what_was_lost_comes_back() {
    // Ten, of which the first five are lost by accident; then the last two are undone, and one is new.
    let (ten, five, newest) = (chat(0..10), chat(5..10), chat([5, 6, 7, 40]));
    let generations = [
        generation(&ten, 1, None),
        generation(&five, 2, Some("undo")),
    ];
    let intents = [said("undo", 2)];
    let judgement = judged(&newest, &intents, &generations);
    let GuardStatus::Diverged { lost, .. } = &judgement.status else {
        panic!("{judgement:?}")
    };
    assert_eq!(lost[0].lost, [0, 1, 2, 3, 4]);
    assert_eq!(judgement.recommendation, Recommendation::Merge);
    assert_eq!(
        list(&restored(&newest, &intents, &generations)),
        list(&chat((0..8).chain([40])))
    );
    // Where it is not known what was undone, nobody but a person can say.
    let judgement = judged(&newest, &intents, &generations[..1]);
    assert_eq!(judgement.recommendation, Recommendation::ByHand);
    assert!(
        judgement.reason.contains("a save said 'undo'"),
        "{}",
        judgement.reason
    );
    // Compressed on purpose, and nothing lost besides.
    let summary = chat([50]);
    let compressed = [generation(&ten, 1, Some("compress"))];
    let intent = "compress".to_owned();
    assert_eq!(
        judged(&summary, &[], &compressed).status,
        GuardStatus::ShrunkOnPurpose { intent }
    );
}

#[test]
fn what_was_undone_before_an_accident_is_not_in_it() {
    let (ten, eight, three) = (chat(0..10), chat(0..8), chat(0..3));
    let generations = [
        generation(&ten, 1, Some("undo")),
        generation(&eight, 2, None),
    ];
    assert_eq!(list(&restored(&three, &[], &generations)), list(&eight));
    let judgement = judged(&three, &[said("undo", 1)], &generations);
    assert_eq!(judgement.reason, "messages: 5 of 8 lost; nothing is newer");
}

#[test]
fn what_cannot_be_merged_is_for_people() {
    let (ten, turned) = (chat(0..10), chat((0..8).rev()));
    let judgement = judged(&turned, &[], &[generation(&ten, 1, None)]);
    assert_eq!(judgement.recommendation, Recommendation::ByHand);
    assert!(
        judgement.reason.contains("another order"),
        "{}",
        judgement.reason
    );
}

#[test]
fn json_of_a_judgement() {
    let ten = chat(0..3);
    let judgement = judged(&chat([0, 2, 7]), &[], &[generation(&ten, 1, None)]);
    assert_eq!(
        serde_json::to_string(&judgement).unwrap(),
        r#"{"status":"diverged","lost":[{"list":"messages","before":3,"after":3,"lost":[1]}],"generation":0,"newer":1,"recommendation":"merge","reason":"messages: 1 of 3 lost; 1 newer item stays"}"#
    );
}
