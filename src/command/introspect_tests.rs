//! Replies of COMMAND, compared with what Redis sends.

use super::introspect;
use crate::command::refusal::find;
use crate::command::test_request::{reply_text, with_request};
use crate::command::{Args, CommandId, commands};
use crate::resp::Protocol;

/// The reply to a line in one protocol version, with a space for every CRLF.
fn ask(protocol: Protocol, line: &str) -> String {
    let arguments: Vec<&str> = line.split(' ').collect();
    with_request(&arguments, |request| {
        let command = find(request).unwrap();
        reply_text(protocol, |reply| {
            let mut args = Args::new(command, request);
            introspect(command, &mut args, reply).unwrap_or_else(|error| reply.error(error));
        })
        .replace("\r\n", " ")
    })
}

#[track_caller]
fn check(line: &str, resp2: &str) {
    assert_eq!(ask(Protocol::Resp2, line), resp2);
}

#[track_caller]
fn check3(line: &str, resp3: &str) {
    assert_eq!(ask(Protocol::Resp3, line), resp3);
}

const GET: &str = "*10 $3 get :2 ~2 +readonly +fast :1 :1 :1 ~3 +@read +@string +@fast ~0 ~1 %3 $5 flags ~2 +RO \
    +access $12 begin_search %2 $4 type $5 index $4 spec %1 $5 index :1 $9 find_keys %2 $4 type $5 range $4 spec %3 \
    $7 lastkey :0 $7 keystep :1 $5 limit :0 ~0 ";

#[test]
fn info_has_ten_elements() {
    check3("COMMAND INFO nope get", &format!("*2 _ {GET}"));
    let resp2 = GET.replace(['~', '%'], "*").replace("*3 $5 flags", "*6 $5 flags").replace("*2 $4 type", "*4 $4 type");
    let resp2 = resp2.replace("*1 $5 index", "*2 $5 index").replace("*3 $7 lastkey", "*6 $7 lastkey");
    check("command info GET nope get|x client|nope", &format!("*4 {resp2}$-1 $-1 $-1 "));
}

#[test]
fn info_of_subcommands() {
    check3(
        "COMMAND INFO client|KILL",
        "*1 *10 $11 client|kill :-3 ~4 +admin +noscript +loading +stale :0 :0 :0 ~4 +@admin +@slow +@dangerous \
         +@connection ~0 ~0 ~0 ",
    );
    let config = ask(Protocol::Resp3, "COMMAND INFO config");
    assert!(config.starts_with("*1 *10 $6 config :-2 ~0 :0 :0 :0 ~1 +@slow ~0 ~0 *5 *10 $10 config|get "), "{config}");
}

#[test]
fn info_gives_one_range_for_several_specifications() {
    for (name, range) in [
        ("bitop", ":2 :-1 :1"),
        ("rename", ":1 :2 :1"),
        ("mset", ":1 :-1 :2"),
        ("lcs", ":1 :2 :1"),
        ("object|freq", ":2 :2 :1"),
        ("ping", ":0 :0 :0"),
    ] {
        let info = ask(Protocol::Resp3, &format!("COMMAND INFO {name}"));
        let flags_end = info.find(" :").unwrap() + 1;
        let behind_arity = info[flags_end..].split_once(':').unwrap().1;
        assert!(behind_arity.contains(&format!(" {range} ~")), "{info}");
    }
}

#[test]
fn all_commands_are_described() {
    let count = commands().len();
    check("COMMAND COUNT", &format!(":{count} "));
    let all = ask(Protocol::Resp3, "COMMAND");
    assert!(all.starts_with(&format!("*{count} *10 $6 append ")));
    assert_eq!(all, ask(Protocol::Resp3, "COMMAND INFO"));
    assert_eq!(all.matches("*10 ").count(), CommandId::COUNT);
    assert!(ask(Protocol::Resp3, "COMMAND DOCS").starts_with(&format!("%{count} $6 append %")));
}

#[test]
fn docs_have_the_argument_tree() {
    check("COMMAND DOCS nope", "*0 ");
    check3(
        "COMMAND DOCS append nope",
        "%1 $6 append %5 $7 summary $71 Adds a value to the end of a string, creating the key if it is missing. \
         $5 since $5 2.0.0 $5 group $6 string $10 complexity $4 O(1) $9 arguments *2 \
         %4 $4 name $3 key $4 type $3 key $12 display_text $3 key $14 key_spec_index :0 \
         %3 $4 name $5 value $4 type $6 string $12 display_text $5 value ",
    );
    let set = ask(Protocol::Resp3, "COMMAND DOCS set");
    assert!(set.contains(
        "%4 $4 name $9 condition $4 type $5 oneof $5 flags ~1 +optional $9 arguments *2 \
         %4 $4 name $2 nx $4 type $10 pure-token $12 display_text $2 nx $5 token $2 NX "
    ));
    assert!(set.contains("%4 $4 name $7 seconds $4 type $7 integer $12 display_text $7 seconds $5 token $2 EX "));
}

#[test]
fn docs_tell_what_is_deprecated() {
    let getset = ask(Protocol::Resp3, "COMMAND DOCS getset");
    assert!(getset.contains("$9 doc_flags ~1 +deprecated $16 deprecated_since $5 6.2.0 $11 replaced_by $"), "{getset}");
    assert!(ask(Protocol::Resp3, "COMMAND DOCS debug").contains("$9 doc_flags ~1 +syscmd "));
    let object = ask(Protocol::Resp3, "COMMAND DOCS object");
    assert!(object.contains("$11 subcommands %5 $15 object|encoding %5 "), "{object}");
}

#[test]
fn list_filters() {
    check("COMMAND LIST FILTERBY PATTERN XC*", "*0 ");
    check("COMMAND LIST filterby Pattern GETR*", "*1 $8 getrange ");
    check("COMMAND LIST FILTERBY PATTERN client|set*", "*2 $14 client|setinfo $14 client|setname ");
    check("COMMAND LIST FILTERBY ACLCAT geo", "*0 ");
    check("COMMAND LIST FILTERBY ACLCAT nope", "*0 ");
    check("COMMAND LIST FILTERBY MODULE json", "*0 ");
    check("COMMAND LIST FILTERBY ACLCAT", "-ERR syntax error ");
    check("COMMAND LIST FILTERBY NOPE x", "-ERR syntax error ");
    check("COMMAND LIST FILTERBY PATTERN x y", "-ERR syntax error ");
    assert!(ask(Protocol::Resp2, "COMMAND LIST FILTERBY ACLCAT BITMAP").starts_with("*7 $8 bitcount "));
    assert!(ask(Protocol::Resp2, "COMMAND LIST").starts_with(&format!("*{} $6 append ", CommandId::COUNT)));
}

#[test]
fn getkeys_picks_keys() {
    check("COMMAND GETKEYS mset a b c d", "*2 $1 a $1 c ");
    check("COMMAND GETKEYS mset a", "-ERR Invalid number of arguments specified for command ");
    check("COMMAND GETKEYS object freq k", "*1 $1 k ");
    check("COMMAND GETKEYS object help", "-ERR The command has no key arguments ");
    check("COMMAND GETKEYS object nope k", "-ERR Invalid command specified ");
    check("COMMAND GETKEYS foo", "-ERR Invalid command specified ");
    check3("COMMAND GETKEYSANDFLAGS set a b", "*1 *2 $1 a ~2 +OW +update ");
    check3("COMMAND GETKEYSANDFLAGS bitop and d a", "*2 *2 $1 d ~2 +OW +update *2 $1 a ~2 +RO +access ");
}

#[test]
fn help_lists_the_subcommands() {
    let help = reply_text(Protocol::Resp2, |reply| super::help(CommandId::Object.command(), reply));
    let lines: Vec<&str> = help.split("\r\n").collect();
    assert_eq!(
        lines[..3],
        ["*11", "+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", "+ENCODING <key>"]
    );
    assert_eq!(lines[10..], ["+HELP", "+    Prints this help.", ""]);
    for container in commands().filter(|command| command.is_container()) {
        let line = format!("{} HELP", container.name);
        let help = ask(Protocol::Resp2, &line);
        let count = 3 + 2 * (container.subcommands.len() - 1) + 2 * usize::from(container.accepts(1));
        assert!(help.starts_with(&format!("*{count} +{} <subcommand> ", container.name.to_uppercase())), "{help}");
        assert_eq!(help.matches(" +").count(), count, "{help}");
    }
}
