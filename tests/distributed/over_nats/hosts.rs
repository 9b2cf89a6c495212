//! Machines with a network between them, of which a cable is out for a while.

use std::{process::Command, thread::sleep, time::Duration};

use tests::{
    hosts::{Host, Switch, on_a_switch},
    nats::Nats,
    nginx::{Config, Nginx},
    running::Running,
};

use crate::over_nats::crew::{Controller, Told, have_left, lasting_runner, runner_with};

const SECOND: Duration = Duration::from_secs(1);

/// A test over three hosts: that of the switch has everything but the runners.
struct Machines {
    nats: Nats,
    nginx: Nginx,
    near: (Host, Running),
    far: (Host, Running),
}

impl Machines {
    /// With runners that are started like this, being told where NATS is.
    fn start(switch: &Switch, runner: impl Fn(&str) -> Command) -> Self {
        let nats = Nats::at(Switch::ADDRESS);
        let url = nats.url();
        let on_host = |number| {
            let host = switch.host(number);
            let runner = Running::start(&mut host.on(&runner(&url)));
            (host, runner)
        };
        Self {
            nginx: Config::plain().address(Switch::ADDRESS).start(),
            near: on_host(2),
            far: on_host(3),
            nats,
        }
    }

    /// Lets a hundred visits a second take place for so long, and something happen to the host of
    /// the second runner.
    fn run(&self, duration: &str, happens: impl FnOnce(&Host)) -> Told {
        let arguments = ["--duration", duration];
        let mut controller =
            Controller::start(&self.nats, &self.nginx, "steady_visits", 2, &arguments);
        controller.wait_for_second(2);
        happens(&self.far.0);
        controller.end()
    }

    #[track_caller]
    fn have_done_all(self, told: &Told, visits: u64) {
        have_left([self.near.1, self.far.1]);
        told.assert_passed();
        assert_eq!(
            (told.requests(), self.nginx.finish().len()),
            (visits, visits)
        );
    }
}

#[test]
fn a_cable_that_is_out_for_a_moment_costs_nothing() {
    let name = "over_nats::hosts::a_cable_that_is_out_for_a_moment_costs_nothing";
    on_a_switch(name, |switch| {
        let machines = Machines::start(switch, |url| runner_with(url, &[]));
        let told = machines.run("7s", |host| {
            host.unplug();
            sleep(SECOND * 3 / 2);
            host.plug_in();
        });
        machines.have_done_all(&told, 700);
    });
}

#[test]
fn a_runner_that_can_speak_and_not_hear_for_a_moment_costs_nothing() {
    let name = "over_nats::hosts::a_runner_that_can_speak_and_not_hear_for_a_moment_costs_nothing";
    on_a_switch(name, |switch| {
        let machines = Machines::start(switch, |url| runner_with(url, &[]));
        let told = machines.run("7s", |host| {
            host.deafen();
            sleep(SECOND);
            host.let_hear();
        });
        machines.have_done_all(&told, 700);
    });
}

#[test]
fn a_machine_whose_cable_is_out_for_long_is_done_without_until_it_comes_back_as_a_new_one() {
    let name = "over_nats::hosts::a_machine_whose_cable_is_out_for_long_is_done_without_until_it_comes_back_as_\
                a_new_one";
    on_a_switch(name, |switch| {
        let machines = Machines::start(switch, lasting_runner);
        let told = machines.run("14s", |host| {
            host.unplug();
            sleep(5 * SECOND);
            host.plug_in();
        });
        assert_eq!(told.ended.code, Some(3), "{}", told.ended);
        assert!(told.ended.stdout.contains("was lost"), "{}", told.ended);
        // Of second 2 on nothing is known of it for 3 s, and half a second later others do its
        // share; back it is before second 9.
        let starts = told.starts();
        let (before, missed, after) = (&starts[..2], &starts[3..5], &starts[7..13]);
        assert!(
            before.iter().all(|starts| (98..=102).contains(starts)),
            "{starts:?}"
        );
        assert!(
            missed.iter().all(|starts| (49..=51).contains(starts)),
            "{starts:?}"
        );
        assert!(
            after.iter().all(|starts| (90..=110).contains(starts)),
            "{starts:?}"
        );
        let runners = told.report["generator"]["by_runner"].as_array().unwrap();
        assert_eq!(runners.len(), 3, "it is there again: {runners:?}");
        let (told, served) = (told.requests(), machines.nginx.finish().len());
        // What it did while nobody heard it, and went on with until it was told, is in no report.
        assert!(told <= served && served - told <= 500, "{told} of {served}");
    });
}
