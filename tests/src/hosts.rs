//! Hosts of the test's own, each in a network namespace, and the switch between them.
//!
//! They are there as long as a process is in them, and no process of theirs outlives the test.

use std::{
    env, fs,
    io::Read as _,
    net::{IpAddr, Ipv4Addr},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::{
    process::{PATIENCE, program},
    running::{Running, heard},
};

/// Set where a test has a network of its own.
const WITHIN: &str = "MITE_TEST_HOSTS";

/// What the tests need to be allowed to do, in words for whoever has to allow it.
const NEEDS: &str = "these tests make network namespaces: they have to be root and to have \
    CAP_SYS_ADMIN (in a container: --privileged), or the system has to let users have namespaces \
    of their own (sysctl kernel.unprivileged_userns_clone=1 on Debian, \
    kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu)";

/// A switch in a network in which there is nothing else; whoever asks for nothing particular is on
/// the host that has it.
#[derive(Debug)]
pub struct Switch(());

/// A host on the switch.
#[derive(Debug)]
pub struct Host {
    number: u8,
    /// Keeps the namespace.
    keeper: Child,
}

/// Runs a test in a network of its own: in a process that has the same tests and is asked for the
/// one of this name.
pub fn on_a_switch(name: &str, test: impl FnOnce(&Switch)) {
    if env::var_os(WITHIN).is_some() {
        end_with_the_tests();
        test(&Switch::start());
        return;
    }
    let mut within = Command::new(program("unshare"));
    within
        .args(namespaces())
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(WITHIN, "1")
        .process_group(0);
    let mut within = heard(within);
    // Closes with this process, which alone holds the other end.
    let ended = Running::start(within.stdin(Stdio::piped())).end();
    let has_run = ended.stdout.contains("1 passed");
    assert!(ended.code == Some(0) && has_run, "{name} within: {ended}");
}

/// How namespaces are to be had here.
fn namespaces() -> &'static [&'static str] {
    let mut said = String::new();
    for how in [&["-n"][..], &["-U", "-r", "-n"]] {
        let mut trial = Command::new(program("unshare"));
        trial.args(how).arg(program("ip"));
        let ended = trial.args("link add trial type veth".split(' ')).output();
        match ended {
            Ok(output) if output.status.success() => return how,
            Ok(output) => said += &String::from_utf8_lossy(&output.stderr),
            Err(error) => said += &error.to_string(),
        }
    }
    panic!("{NEEDS}. {said}");
}

/// Ends this process and all that it has started when the one that started it has ended, however
/// it did.
fn end_with_the_tests() {
    thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        // The guards of servers do not mind, and then end them.
        let _ = killpg(Pid::this(), Signal::SIGTERM);
    });
}

impl Switch {
    /// Where its host is.
    pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));

    fn start() -> Self {
        ip("link set lo up");
        ip("link add switch type bridge");
        ip(&format!("addr add {}/24 dev switch", Self::ADDRESS));
        ip("link set switch up");
        Self(())
    }

    /// Another host, whose number is from 2 on.
    pub fn host(&self, number: u8) -> Host {
        let mut keeper = Command::new(program("unshare"));
        // Ends with this process, which alone holds the other end.
        keeper.args(["-n", "cat"]).stdin(Stdio::piped());
        let host = Host {
            number,
            keeper: keeper.stdout(Stdio::null()).spawn().unwrap(),
        };
        host.wait_until_it_is_alone();
        let (port, id) = (host.port(), host.keeper.id());
        ip(&format!(
            "link add {port} type veth peer name cable netns {id}"
        ));
        ip(&format!("link set {port} master switch up"));
        host.ip("link set lo up");
        host.ip(&format!("addr add {}/24 dev cable", host.address()));
        host.ip("link set cable up");
        host
    }
}

impl Host {
    /// Where it is.
    pub fn address(&self) -> IpAddr {
        Ipv4Addr::new(10, 77, 0, self.number).into()
    }

    /// The same command on this host.
    pub fn on(&self, command: &Command) -> Command {
        let mut there = self.command();
        there.arg(command.get_program()).args(command.get_args());
        heard(there)
    }

    /// Pulls its cable out of the switch: nothing gets through any more, and nobody is told.
    pub fn unplug(&self) {
        ip(&format!("link set {} down", self.port()));
    }

    /// Plugs it in again.
    pub fn plug_in(&self) {
        ip(&format!("link set {} up", self.port()));
    }

    /// From now on what is sent to it from the host of the switch is lost; what it sends arrives.
    pub fn deafen(&self) {
        let address = self.address();
        ip(&format!(
            "neigh replace {address} lladdr 02:00:00:00:00:ff dev switch nud permanent"
        ));
    }

    /// Ends that.
    pub fn let_hear(&self) {
        ip(&format!("neigh del {} dev switch", self.address()));
    }

    fn port(&self) -> String {
        format!("port{}", self.number)
    }

    fn ip(&self, arguments: &str) {
        let mut ip = self.command();
        succeeds(ip.arg(program("ip")).args(arguments.split(' ')));
    }

    fn command(&self) -> Command {
        let mut command = Command::new(program("nsenter"));
        command.args(["-n", "-t", &self.keeper.id().to_string(), "--"]);
        command
    }

    fn wait_until_it_is_alone(&self) {
        let network = |process: &str| fs::read_link(format!("/proc/{process}/ns/net"));
        let (here, there) = (network("self").unwrap(), self.keeper.id().to_string());
        let began = Instant::now();
        while !network(&there).is_ok_and(|there| there != here) {
            assert!(began.elapsed() < PATIENCE, "no namespace for a host");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn ip(arguments: &str) {
    succeeds(Command::new(program("ip")).args(arguments.split(' ')));
}

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
