//! `session erase` and `session erased`.

use serde_json::json;

use crate::common::House;

#[test]
fn an_erased_session_is_nowhere_and_the_others_are_where_they_were() {
    let house = House::new();
    house.save("chat/zephyrine", "{\"messages\":[\"quixotry\"]}");
    house.save("chat/other", "{\"messages\":[\"stays\"]}");
    house
        .run(&["policy", "set", "chat/zephyrine", "--keep-last", "9"])
        .ok();
    let before = house.contents();
    let erase = ["session", "erase", "chat/zephyrine"];
    let ran = house.run(&[&erase[..], &["--dry-run"]].concat()).ok();
    ran.says("would erase chat/zephyrine: 1 snapshot, ")
        .says("dry run: nothing was changed");
    assert_eq!(house.contents(), before);
    let planned = house
        .run(&[&erase[..], &["--dry-run", "--json"]].concat())
        .ok()
        .json();
    assert_eq!(planned["erased"]["named_by"], json!(["chat/zephyrine"]));
    house
        .run(&["session", "erased"])
        .ok()
        .explains("no session was erased");
    house
        .run(&["session", "erased", "chat/zephyrine"])
        .refused(4, "no session chat/zephyrine was erased");

    let ran = house.run(&erase).ok();
    ran.says("erased chat/zephyrine: 1 snapshot, ")
        .says("the rule for chat/zephyrine, which says its name")
        .says("the store is not encrypted");
    house.run(&["session", "erased", "chat/zephyrine"]).ok();
    let all = house.run(&["session", "erased", "--json"]).ok().json();
    assert_eq!(all["erased"].as_array().unwrap().len(), 1);
    house.run(&["policy", "remove", "chat/zephyrine"]).ok();
    let bytes = house.bytes();
    assert!(!bytes.windows(8).any(|part| part == b"quixotry"));
    house
        .run(&["snapshot", "show", "chat/other@latest"])
        .ok()
        .says("stays");
    house.run(&["verify"]).ok();
    house
        .run(&erase)
        .refused(4, "there is no session 'chat/zephyrine'");
}
