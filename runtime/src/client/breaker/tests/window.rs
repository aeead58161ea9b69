use crate::client::breaker::window::Window;

#[test]
fn what_is_older_than_the_window_is_forgotten_part_by_part() {
    let mut window = Window::new(100);
    for now in 0..100 {
        window.record(now, now % 2 == 0);
    }
    assert_eq!(window.calls_and_failures(99), (100, 50));
    assert_eq!(window.calls_and_failures(100), (90, 45));
    assert_eq!(window.calls_and_failures(109), (90, 45));
    assert_eq!(window.calls_and_failures(155), (40, 20));
    window.record(155, true);
    assert_eq!(window.calls_and_failures(155), (41, 21));
    assert_eq!(window.calls_and_failures(249), (1, 1));
    assert_eq!(window.calls_and_failures(250), (0, 0));
}

#[test]
fn a_window_of_no_time_at_all_counts_what_is_now() {
    let mut window = Window::new(0);
    window.record(7, true);
    assert_eq!(window.calls_and_failures(7), (1, 1));
    assert_eq!(window.calls_and_failures(17), (0, 0));
}
