use super::*;

fn messages(range: std::ops::Range<usize>) -> Vec<String> {
    let message = |n| format!("{{\"role\":\"user\",\"content\":\"message {n}\"}}");
    range.map(message).collect()
}

fn chat(items: &[String]) -> String {
    format!(
        "{{\"title\":\"x\",\"messages\":[{}],\"n\":{}}}",
        items.join(","),
        items.len()
    )
}

fn lost(rules: &[GuardRule], earlier: &str, new: &str) -> Vec<String> {
    let loss = loss_in_texts(rules, earlier.as_bytes(), new.as_bytes()).unwrap();
    // Documents that share nothing say the same.
    let apart = |text: &str| split(text.as_bytes(), None).unwrap().document;
    assert_eq!(
        super::loss(rules, &apart(earlier), &apart(new)).unwrap(),
        loss
    );
    loss.iter()
        .map(|loss| format!("{loss} {:?}", loss.lost))
        .collect()
}

fn guard() -> [GuardRule; 1] {
    [GuardRule::new("messages")]
}

fn queue() -> [GuardRule; 2] {
    [
        GuardRule::new("queue").consumed(End::Front),
        GuardRule::new("history").trimmed(End::Front).bound(3),
    ]
}

#[test]
fn a_chat_that_shrinks_loses_what_is_gone() {
    let all = chat(&messages(0..1000));
    let some = chat(&messages(950..1000));
    let loss = loss_in_texts(&guard(), all.as_bytes(), some.as_bytes()).unwrap();
    assert_eq!(loss[0].to_string(), "messages: 950 of 1000 lost");
    assert_eq!((loss[0].before, loss[0].after), (1000, 50));
    assert_eq!(loss[0].lost, (0..950).collect::<Vec<_>>());
    assert!(lost(&guard(), &some, &all).is_empty(), "growing is no loss");
    assert!(lost(&guard(), &all, &all).is_empty());
}

#[test]
fn a_chat_that_was_emptied_has_lost_all() {
    let all = chat(&messages(0..3));
    for gone in [
        "{}",
        "{\"messages\":[]}",
        "{\"messages\":null}",
        "{\"messages\":{}}",
        "[]",
        "null",
        "{\"messages\":\"x\"}",
    ] {
        assert_eq!(
            lost(&guard(), &all, gone),
            ["messages: 3 of 3 lost [0, 1, 2]"],
            "{gone}"
        );
    }
    for nothing in ["{}", "{\"messages\":[]}", "7"] {
        assert!(lost(&guard(), nothing, &all).is_empty(), "{nothing}");
    }
}

#[test]
fn an_item_that_moved_to_another_list_is_there() {
    let guard = [GuardRule::new("queue")];
    let earlier = "{\"queue\":[{\"t\":1},{\"t\":2}],\"history\":[]}";
    assert!(
        lost(
            &guard,
            earlier,
            "{\"queue\":[{\"t\":2}],\"history\":[{\"t\":1}]}"
        )
        .is_empty()
    );
    let spelled = "{\"queue\":[{\"t\":2}],\"x\":[{\"y\":[0,{ \"t\" : 1 }]}]}";
    assert!(
        lost(&guard, earlier, spelled).is_empty(),
        "at any depth, however it is spelled"
    );
    assert_eq!(
        lost(
            &guard,
            earlier,
            "{\"queue\":[{\"t\":2}],\"current\":{\"t\":1}}"
        ),
        ["queue: 1 of 2 lost [0]"],
        "that is no list"
    );
}

#[test]
fn each_item_counts_once() {
    let guard = [GuardRule::new("queue")];
    let twice = "{\"queue\":[\"a\",\"b\",\"a\"]}";
    assert_eq!(
        lost(&guard, twice, "{\"queue\":[\"a\",\"b\"]}"),
        ["queue: 1 of 3 lost [2]"]
    );
    assert!(
        lost(
            &guard,
            twice,
            "{\"queue\":[\"a\",\"b\"],\"history\":[\"a\"]}"
        )
        .is_empty()
    );
    assert!(
        lost(&guard, twice, "{\"queue\":[\"b\",\"a\",\"a\"]}").is_empty(),
        "shuffled"
    );
    // Two guarded lists that lose one each find one.
    let both = [GuardRule::new("a"), GuardRule::new("b")];
    assert_eq!(
        lost(&both, "{\"a\":[7],\"b\":[7]}", "{\"c\":[7]}"),
        ["b: 1 of 1 lost [0]"]
    );
    assert!(lost(&both, "{\"a\":[7],\"b\":[8]}", "{\"a\":[8],\"b\":[7]}").is_empty());
    assert_eq!(
        lost(&both, "{\"a\":[7],\"b\":[7]}", "{\"a\":[7],\"b\":[]}"),
        ["b: 1 of 1 lost [0]"]
    );
}

#[test]
fn a_queue_is_consumed_at_its_front() {
    let q = |items: &str| format!("{{\"queue\":[{items}]}}");
    for (earlier, new, said) in [
        ("1,2,3", "2,3", ""),
        ("1,2,3", "3,4", ""),
        ("1,1,2", "1,2,5", ""),
        ("1", "", ""),
        ("1", "2", ""),
        ("1,2,3", "1,3", "queue: 1 of 3 lost [1]"),
        ("1,2,3", "1,2", "queue: 1 of 3 lost [2]"),
        ("1,2,3", "", "queue: 3 of 3 lost [0, 1, 2]"),
        ("1,2", "8", "queue: 2 of 2 lost [0, 1]"),
    ] {
        assert_eq!(
            lost(&queue(), &q(earlier), &q(new)).join(""),
            said,
            "{earlier} -> {new}"
        );
    }
    let both = "{\"queue\":[1,2],\"history\":[]}";
    assert!(
        lost(&queue(), both, "{\"queue\":[],\"history\":[1]}").is_empty(),
        "2 is playing"
    );
}

#[test]
fn a_full_history_loses_its_oldest_end() {
    let h = |items: &str| format!("{{\"history\":[{items}]}}");
    let back = [GuardRule::new("history").trimmed(End::Back)];
    for (rules, earlier, new, said) in [
        (&queue()[..], "1,2,3", "2,3,4", ""),
        (&queue(), "1,2,3", "7,8,9", ""),
        (&queue(), "1,2,3,4,5", "3,4,5", ""),
        (&queue(), "1,2,3", "2,3", "history: 1 of 3 lost [0]"),
        (&queue(), "1,2,3", "1,2,4", "history: 1 of 3 lost [2]"),
        (&queue(), "1,2,3", "", "history: 3 of 3 lost [0, 1, 2]"),
        (&back, "3,2,1", "4,3,2", ""),
        (&back, "3,1,1", "4,3,1", ""),
        (&back, "3,2,1", "2,1", "history: 1 of 3 lost [0]"),
        (&back, "3,2,1", "", "history: 3 of 3 lost [0, 1, 2]"),
    ] {
        assert_eq!(
            lost(rules, &h(earlier), &h(new)).join(""),
            said,
            "{earlier} -> {new}"
        );
    }
}

#[test]
fn an_order_is_no_loss() {
    let (all, mut turned) = (messages(0..100), messages(0..100));
    turned.reverse();
    assert!(lost(&guard(), &chat(&all), &chat(&turned)).is_empty());
    assert_eq!(
        lost(&guard(), &chat(&all), &chat(&turned[1..])),
        ["messages: 1 of 100 lost [99]"]
    );
}

#[test]
fn white_space_makes_no_other_item() {
    let earlier = chat(&messages(0..20));
    let pretty = String::from_utf8(crate::pretty(earlier.as_bytes())).unwrap();
    assert!(lost(&guard(), &earlier, &pretty).is_empty());
    assert!(lost(&guard(), &pretty, &earlier).is_empty());
}

#[test]
fn a_key_says_which_item_it_is() {
    let plain = [GuardRule::new("m")];
    let keyed = [GuardRule::new("m").key("id")];
    let (earlier, edited) = (
        "{\"m\":[{\"id\":1,\"x\":\"a\"}]}",
        "{\"m\":[{\"id\":1,\"x\":\"b\"}]}",
    );
    assert!(lost(&keyed, earlier, edited).is_empty());
    assert_eq!(lost(&plain, earlier, edited).len(), 1);
    // Another thing may have the same id.
    let files = "{\"m\":[],\"files\":[{\"id\":1,\"name\":\"f\"}]}";
    assert_eq!(lost(&keyed, earlier, files).len(), 1);
    let archived = "{\"m\":[],\"archive\":[{\"id\":1,\"x\":\"a\",\"archived\":true}]}";
    assert!(
        lost(&keyed, earlier, archived).is_empty(),
        "it says all that it said"
    );
    let both = [GuardRule::new("m").key("id"), GuardRule::new("n").key("id")];
    let moved = "{\"m\":[],\"n\":[{\"id\":1,\"x\":\"c\"}]}";
    assert!(
        lost(&both, earlier, moved).is_empty(),
        "in a guarded list of the same key the key says enough"
    );
}

#[test]
fn an_answer_that_is_being_written_is_no_loss() {
    let say = |text: &str| format!("{{\"role\":\"assistant\",\"content\":\"{text}\"}}");
    let with = |last: &[&str]| {
        let mut all = messages(0..10);
        all.extend(last.iter().map(|text| say(text)));
        chat(&all)
    };
    assert!(lost(&guard(), &with(&["Hel"]), &with(&["Hello", "next"])).is_empty());
    assert_eq!(
        lost(&guard(), &with(&["Hello", "x"]), &with(&["Hel"])),
        ["messages: 2 of 12 lost [10, 11]"]
    );
    assert_eq!(
        lost(&guard(), &with(&["Hel", "x"]), &with(&["Hello"])),
        ["messages: 1 of 12 lost [11]"]
    );
}

#[test]
fn ten_eight_nine_loses_two() {
    let (ten, eight) = (chat(&messages(0..10)), chat(&messages(0..8)));
    let mut nine = messages(0..8);
    nine.extend(messages(20..21));
    let nine = chat(&nine);
    assert_eq!(
        lost(&guard(), &ten, &eight),
        ["messages: 2 of 10 lost [8, 9]"]
    );
    assert!(lost(&guard(), &eight, &nine).is_empty());
    assert_eq!(
        lost(&guard(), &ten, &nine),
        ["messages: 2 of 10 lost [8, 9]"]
    );
}

#[test]
fn what_is_no_rule_or_no_state_is_an_error() {
    let odd = [GuardRule::new("a..b")];
    assert!(loss_in_texts(&odd, b"{}", b"{}").is_err());
    let torn = loss_in_texts(&guard(), b"{}", b"{\"messages\":[").unwrap_err();
    assert!(
        torn.to_string().contains("the new state: not JSON"),
        "{torn}"
    );
}
