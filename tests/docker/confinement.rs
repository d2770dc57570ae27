//! The seccomp profile as the kernel sees it: a filter that is loaded and then inherited by a program.
//!
//! A container runtime loads the filter into a process of its own, which then becomes the program. So does this: the test
//! executable is started once more, with one test that in such a process does nothing else.
//!
//! ```text
//! test -> Command(this executable, --exact TEST -- program's arguments)  CONFINED_PROGRAM, CONFINED_FILTER
//!                 `-> TEST -> become_the_program() -> load the filter -> exec
//! ```

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;

use seccompiler::{BpfProgram, apply_filter, compile_from_json};
use serde_json::{Value, json};

use crate::files::text;

/// The test that becomes the program in a process of its own.
const TEST: &str = "what_a_server_does_not_need_is_refused";
const PROGRAM: &str = "CONFINED_PROGRAM";
const FILTER: &str = "CONFINED_FILTER";

/// `docker/seccomp.json`, or a change of it.
pub(crate) struct Profile(Value);

impl Profile {
    /// As it is.
    pub(crate) fn read() -> Profile {
        let profile: Value = serde_json::from_str(&text("docker/seccomp.json")).expect("JSON");
        assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
        Profile(profile)
    }

    /// Without the calls whose name begins so.
    pub(crate) fn without(mut self, start: &str) -> Profile {
        for rule in self.0["syscalls"].as_array_mut().expect("rules") {
            let names = rule["names"].as_array_mut().expect("names");
            names.retain(|name| !name.as_str().expect("text").starts_with(start));
        }
        self
    }

    /// With another error for what is not allowed.
    pub(crate) fn answering(mut self, errno: u32) -> Profile {
        self.0["defaultErrnoRet"] = json!(errno);
        self
    }

    /// The processors that it is for.
    pub(crate) fn architectures(&self) -> Vec<&str> {
        self.0["architectures"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
    }

    /// The calls that it allows, each as often as it is allowed without regard to arguments and once if with.
    pub(crate) fn allowed(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (rule, name) in self.rules() {
            if rule.get("args").is_none() || !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn rules(&self) -> impl Iterator<Item = (&Value, &str)> {
        let rules = self.0["syscalls"].as_array().expect("rules").iter();
        rules.filter(|rule| self.allows(rule)).flat_map(|rule| {
            let names = rule["names"].as_array().expect("names").iter();
            names.map(move |name| (rule, name.as_str().expect("text")))
        })
    }

    /// Only one thing may be done with a call beside allowing it: to answer as to any other.
    fn allows(&self, rule: &Value) -> bool {
        let refuses = rule["action"] == "SCMP_ACT_ERRNO" && rule["errnoRet"] == 38;
        assert!(refuses || rule["action"] == "SCMP_ACT_ALLOW", "{rule}");
        !refuses
    }

    /// Whether the processor has a call of that name.
    pub(crate) fn is_known(&self, name: &str, arch: &str) -> bool {
        compile(&self.translated(&[json!({ "syscall": name })]), arch).is_ok()
    }

    /// The filter for a processor. Names that it does not have are passed over, as container runtimes do.
    pub(crate) fn filter(&self, arch: &str) -> BpfProgram {
        let mut known = BTreeMap::new();
        let mut entries = Vec::new();
        for (rule, name) in self.rules() {
            if !*known.entry(name).or_insert_with(|| self.is_known(name, arch)) {
                continue;
            }
            let mut entry = json!({ "syscall": name });
            if let Some(conditions) = rule.get("args") {
                let conditions: Vec<Value> =
                    conditions.as_array().expect("a list").iter().map(translated_condition).collect();
                entry["args"] = json!(conditions);
            }
            entries.push(entry);
        }
        compile(&self.translated(&entries), arch).unwrap_or_else(|error| panic!("{arch}: {error}"))
    }

    /// In the words of the crate that makes filters.
    fn translated(&self, entries: &[Value]) -> String {
        let errno = self.0["defaultErrnoRet"].as_u64().expect("a number");
        json!({ "all": { "mismatch_action": { "errno": errno }, "match_action": "allow", "filter": entries } })
            .to_string()
    }

    /// Loads it into this thread, for good.
    pub(crate) fn load(&self) {
        apply_filter(&self.filter(std::env::consts::ARCH)).expect("the kernel takes filters");
    }
}

fn compile(filter: &str, arch: &str) -> Result<BpfProgram, String> {
    let arch = arch.try_into().map_err(|error| format!("{error}"))?;
    let mut programs = compile_from_json(filter.as_bytes(), arch).map_err(|error| error.to_string())?;
    Ok(programs.remove("all").expect("the one that was compiled"))
}

fn translated_condition(condition: &Value) -> Value {
    let (operator, value) = match condition["op"].as_str().expect("an operator") {
        "SCMP_CMP_EQ" => (json!("eq"), &condition["value"]),
        "SCMP_CMP_MASKED_EQ" => (json!({ "masked_eq": condition["value"] }), &condition["valueTwo"]),
        other => panic!("{other} is not translated"),
    };
    json!({ "index": condition["index"], "type": "qword", "op": operator, "val": value })
}

/// A command that runs `program` under the profile, with the arguments that are added to it.
pub(crate) fn confined(profile: &Profile, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a running test has a path"));
    command.args(["--exact", "--nocapture", TEST, "--"]);
    command.env(PROGRAM, program).env(FILTER, profile.0.to_string());
    command
}

/// In a process that [`confined`] has started: loads the filter and becomes the program. In any other it returns.
pub(crate) fn become_the_program() {
    let (Some(program), Ok(profile)) = (std::env::var_os(PROGRAM), std::env::var(FILTER)) else { return };
    let arguments = std::env::args_os().skip_while(|argument| argument != "--").skip(1);
    let mut command = Command::new(program);
    command.args(arguments).env_remove(PROGRAM).env_remove(FILTER);
    Profile(serde_json::from_str(&profile).expect("JSON")).load();
    panic!("the program cannot be executed: {}", command.exec());
}
