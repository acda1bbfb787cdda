//! At most two clusters at a time, however many threads the test program has: four servers and more share the machine.

use std::sync::{Condvar, Mutex};

const CLUSTERS: u32 = 2;

static FREE: Mutex<u32> = Mutex::new(CLUSTERS);
static CHANGED: Condvar = Condvar::new();

/// One cluster's right to run; given back when it is dropped.
pub struct Turn(());

impl Turn {
    /// Waits until fewer than two clusters run. A test holds one turn at a time: two would wait for each other.
    pub fn wait() -> Turn {
        let free = FREE.lock().unwrap();
        *CHANGED.wait_while(free, |free| *free == 0).unwrap() -= 1;
        Turn(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *FREE.lock().unwrap() += 1;
        CHANGED.notify_one();
    }
}
