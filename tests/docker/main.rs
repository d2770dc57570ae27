//! What `docker/` promises, as far as it can be kept to without a container engine.
//!
//! The Dockerfile, `compose.yaml` and the documentation are read and held against the program; the seccomp profile is made
//! into a filter and loaded as a container runtime does it, right before the program is executed; and the entry point runs
//! in a root directory that holds nothing but the program.

mod confinement;
mod files;
mod root;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output};
use std::time::Duration;

use crate::confinement::{Profile, become_the_program, confined};
use crate::files::{image, line_with, path, text};
use corewise::config::flags::{self, Invocation};
use corewise::config::{Config, Loaded, SETTINGS, Setting, Written, load};
use corewise_harness::{Client, Kind, Server, Variant, program, variants};

fn corewise() -> Vec<Variant> {
    variants().into_iter().filter(|variant| variant.kind == Kind::Corewise).collect()
}

/// What a server comes to that is given these variables. A word in them that is not understood ends the test.
fn configured(environment: &[(String, String)]) -> Config {
    let loaded = load(&Written { flags: &[], environment, file: None, memory_bytes: 1 << 30 });
    let Loaded { config, notices } = loaded.unwrap_or_else(|error| panic!("{environment:?}: {error}"));
    assert!(notices.is_empty(), "{environment:?}: {notices:?}");
    config
}

#[test]
fn the_image_holds_the_server_and_starts_it_as_nobody() {
    let image = image();
    assert_eq!(image.one("FROM"), "scratch AS corewise");
    assert_eq!(image.json("ENTRYPOINT"), ["/corewise"]);
    assert!(!image.has("CMD"), "what follows the image's name are the flags of the server");
    let (user, group) = image.one("USER").split_once(':').expect("a user and a group");
    assert!([user, group].iter().all(|id| id.parse::<u32>().expect("a number") > 0));
    assert_eq!(image.one("STOPSIGNAL"), "SIGTERM");
    assert_eq!(image.one("EXPOSE"), Setting::named("port").expect("a setting").default);
    assert!(image.one("LABEL").contains(&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))));
    let config = configured(&image.environment());
    assert!(config.bind.iter().any(|address| address.ip.is_unspecified() && address.ip.is_ipv4() && !address.optional));
    assert!(config.bind.iter().any(|address| address.ip.is_unspecified() && address.ip.is_ipv6() && address.optional));
    assert!(config.protected_mode, "an image that anybody can start must not serve everybody");
}

#[test]
fn the_image_asks_after_its_own_health() {
    let check = image().one("HEALTHCHECK").to_owned();
    let (_, command) = check.split_once("CMD ").expect("a command");
    let words: Vec<String> = serde_json::from_str(command).expect("a list of words");
    assert_eq!(words[0], "/corewise");
    let asked = flags::parse(words.iter().map(Into::into), &image().environment()).expect("corewise knows it");
    let Invocation::Ping(target) = asked else { panic!("{asked:?}") };
    assert_eq!(target.port, configured(&image().environment()).port);
}

#[test]
fn the_image_is_built_as_ci_builds_it() {
    let dockerfile = text("docker/Dockerfile");
    let command = "cargo static --bin corewise";
    assert!(dockerfile.contains(command) && text(".ci/run").contains(command));
    assert!(text(".cargo/config.toml").contains("\nstatic = ["));
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(dockerfile.contains(&format!("\nFROM rust:{rust}-")), "the workspace is for Rust {rust}");
    for name in text("docker/Dockerfile.dockerignore").lines().filter_map(|line| line.strip_prefix('!')) {
        assert!(path(name).exists(), "Dockerfile.dockerignore lets {name} in, which is not there");
    }
}

#[test]
fn compose_gives_the_server_what_it_understands() {
    let compose = text("docker/compose.yaml");
    let value = |line: &str| line.split_once(':').map(|(_, value)| value.trim().trim_matches('"').to_owned());
    let setting = |line: &str| Some((line.split(':').next()?.trim().to_owned(), value(line)?));
    let given = compose.lines().filter(|line| line.trim_start().starts_with("COREWISE_")).filter_map(setting);
    let environment: Vec<(String, String)> = given.chain(image().environment()).collect();
    let config = configured(&environment);
    assert!(!config.protected_mode && compose.contains("\"127.0.0.1:6379:6379\""), "open to this machine alone");
    assert!(config.maxmemory > 0 && compose.contains("mem_limit: 1g"));
    let profile = line_with(&compose, "- seccomp:");
    assert!(path(&format!("docker/{profile}")).exists(), "{profile}");
    let files: u64 = line_with(&compose, "nofile:").parse().expect("a number");
    assert!(files >= corewise::os::resource::files_for(config.maxclients, corewise::limits::CORES_MAX));
    for tight in ["no-new-privileges:true", "cap_drop:\n      - ALL", "read_only: true"] {
        assert!(compose.contains(tight), "{tight}");
    }
}

#[test]
fn the_documentation_starts_the_image_that_there_is() {
    let readme = text("docker/README.md");
    let runs: Vec<&str> = readme.lines().filter(|line| line.starts_with("docker run")).collect();
    assert!(!runs.is_empty());
    for line in runs {
        assert!(line.contains("--security-opt seccomp=docker/seccomp.json"), "{line}");
        let words = line.split_whitespace().filter(|word| word.starts_with("COREWISE_"));
        let environment: Vec<_> = words.filter_map(|word| word.split_once('=')).collect();
        configured(
            &environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>(),
        );
    }
    for named in readme.split('`').filter(|word| word.starts_with("COREWISE_") && !word.contains(' ')) {
        let name = named.split('=').next().expect("one part at least");
        let known = name == "COREWISE_CONFIG" || SETTINGS.iter().any(|setting| setting.variable() == name);
        assert!(known, "README names {named}");
    }
}

#[test]
fn the_profile_names_calls_that_there_are() {
    let profile = Profile::read();
    assert_eq!(profile.architectures(), ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]);
    let names = profile.allowed();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "a call stands in it twice: {names:?}");
    for name in &names {
        assert!(["x86_64", "aarch64"].iter().any(|arch| profile.is_known(name, arch)), "there is no call {name}");
    }
    for arch in ["x86_64", "aarch64"] {
        profile.filter(arch);
    }
}

/// The other half of [`confined`]: in a process of its own this test becomes the program. Otherwise it sees to what the
/// filter refuses.
#[test]
fn what_a_server_does_not_need_is_refused() {
    become_the_program();
    let refused = |what: &str, result: Result<(), std::io::Error>| {
        let error = result.err().unwrap_or_else(|| panic!("{what} is allowed"));
        // ENOSYS: that there is no such call is an answer that every caller is prepared for.
        assert_eq!(error.raw_os_error(), Some(38), "{what}: {error}");
    };
    // The filter holds for the thread that loads it, and for what that thread starts.
    let thread = std::thread::spawn(move || {
        Profile::read().load();
        use rustix::net::{AddressFamily as Family, SocketType, socket};
        for family in [Family::UNIX, Family::INET, Family::INET6] {
            drop(socket(family, SocketType::STREAM, None).unwrap_or_else(|error| panic!("{family:?}: {error}")));
        }
        refused("a netlink socket", socket(Family::NETLINK, SocketType::DGRAM, None).map(drop).map_err(Into::into));
        refused("a packet socket", socket(Family::PACKET, SocketType::RAW, None).map(drop).map_err(Into::into));
        refused("another process", Command::new("true").spawn().map(drop));
        refused("a new root", rustix::process::chroot("/").map_err(Into::into));
        refused("a directory", std::fs::create_dir("/tmp/corewise-not-made"));
        refused("another's limits", std::os::unix::fs::chown("/proc/self/exe", None, None));
        std::thread::spawn(|| "a thread").join().expect("threads are allowed");
    });
    thread.join().expect("see above");
}

#[test]
fn programs_that_escape_are_refused() {
    for line in [["unshare", "--mount", "true"], ["chroot", "/", "true"], ["mount", "none", "/mnt"]] {
        let output = confined(&Profile::read(), line[0]).args(&line[1..]).output().expect("the test itself starts");
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(!output.status.success(), "{line:?} is allowed");
        assert!(said.contains("function not implemented"), "{line:?}: {said}");
    }
}

fn ping(arguments: &[&str]) -> Output {
    let mut command = confined(&Profile::read(), program());
    command.arg("ping").args(arguments).output().expect("the test itself starts")
}

#[test]
fn a_server_lives_under_the_profile() {
    for variant in corewise() {
        let launcher = confined(&Profile::read(), program());
        let directory = root::directory("profile");
        let (socket, log, file) = (directory.join("socket"), directory.join("log"), directory.join("corewise.conf"));
        std::fs::write(&file, "timeout 100\n").expect("a file in a new directory");
        let flags = [
            "--unixsocket",
            socket.to_str().expect("text"),
            "--unixsocketperm",
            "770",
            "--logfile",
            log.to_str().expect("text"),
            "--config",
            file.to_str().expect("text"),
        ];
        let mut server = Server::spawn_by(launcher, &variant, &flags).until_it_answers().expect(variant.name);
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
        assert_eq!(line_with(&status, "Seccomp:"), "2", "{}: the filter is not loaded", variant.name);

        let mut clients: Vec<Client> = (0..200).map(|_| server.connect()).collect();
        for (at, client) in clients.iter_mut().enumerate() {
            // Beyond 128 KiB the allocator maps, resizes and unmaps.
            let value = "v".repeat(if at % 20 == 0 { 1 << 20 } else { 100 * at });
            assert_eq!(client.command(&["SET", &format!("key:{at}"), &value]).to_string(), "+OK");
            assert_eq!(
                client.command(&["APPEND", &format!("key:{at}"), "w"]).to_string(),
                format!(":{}", value.len() + 1)
            );
        }
        let pipeline = b"INCR counter\r\nMSET a 1 b 2 c 3\r\nMGET a b c\r\n".repeat(20);
        for client in &mut clients {
            client.send(&pipeline);
        }
        for client in &mut clients {
            (0..60).for_each(|_| assert!(!client.reply().to_string().starts_with('-')));
        }
        let client = &mut clients[0];
        assert_eq!(client.ask("GET counter").to_string(), "4000");
        for line in ["CONFIG SET maxclients 5000", "CONFIG SET tcp-keepalive 60", "CONFIG REWRITE", "FLUSHALL"] {
            assert_eq!(client.ask(line).to_string(), "+OK", "{}: {line}", variant.name);
        }
        assert!(std::fs::read_to_string(&file).expect("it is there").contains("maxclients 5000"));
        assert!(client.ask("INFO everything").to_string().contains("used_cpu_sys"));
        let mut unix = UnixStream::connect(&socket).expect("it listens there as well");
        unix.write_all(b"PING\r\n").and_then(|()| unix.read_exact(&mut [0; 7])).expect("it answers there as well");

        let port = server.address().port().to_string();
        for arguments in
            [&["--port", &port][..], &["--unixsocket", flags[1]], &["--host", "localhost", "--port", &port]]
        {
            let output = ping(arguments);
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let nobody = ping(&["--port", "1"]);
        assert_eq!(nobody.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&nobody.stderr).contains("refused"), "the true reason");

        let stopped = Command::new("kill").args(["-TERM", &server.pid().to_string()]).status();
        assert!(stopped.expect("kill is everywhere").success());
        assert_eq!(server.wait_exit(Duration::from_secs(10)).code(), Some(0), "{}", variant.name);
        assert!(std::fs::read_to_string(&log).expect("it logs").contains("stopping"));
        let _ = std::fs::remove_dir_all(directory);
    }
}

#[test]
fn without_the_profile_the_start_ends_with_the_remedy() {
    // What engines answer: the default profiles of Docker and Podman, and filters that know no such call.
    for errno in [1, 38] {
        let profile = Profile::read().without("io_uring").answering(errno);
        let mut server = Server::spawn_by(confined(&profile, program()), &corewise()[0], &[]);
        assert_eq!(server.wait_exit(Duration::from_secs(10)).code(), Some(1), "{}", server.log());
        let log = server.log();
        for part in ["a seccomp filter blocks it", "docker run --security-opt seccomp=docker/seccomp.json"] {
            assert!(log.contains(part), "{part}: {log}");
        }
    }
}

#[test]
fn the_entry_point_needs_no_other_file() {
    let image = image();
    let directory = root::directory("root");
    let Some(launcher) = root::launcher(&image, &directory) else { return };
    let mut server = Server::spawn_by(launcher, &corewise()[0], &[]).until_it_answers().expect("it starts");
    let mut client = server.connect();
    assert_eq!(client.ask("SET greeting hello").to_string(), "+OK");
    assert_eq!(client.ask("GET greeting").to_string(), "hello");
    // It is process 1 of its container, whose signals have no default action: it has to take them itself.
    root::signal_child(server.pid(), image.one("STOPSIGNAL").trim_start_matches("SIG"));
    assert_eq!(server.wait_exit(Duration::from_secs(10)).code(), Some(0), "{}", server.log());
    let _ = std::fs::remove_dir_all(directory);
}
