"""Which test runs a command of the pages that takes too long for the walk, or needs Docker."""

from __future__ import annotations

from include.local.course.course import LESSONS
from tests.support.readmes import commands

LESSON = "make lessons L="
GATE = ".github/workflows/pr.yml"
GATE_STEPS = ("lint", "audit", "test-unit", "test-integration", "test-e2e")
CELERY = "tests/containers/test_celery.py"
CUSTOM = "include/local/celery/custom.Dockerfile"
COURSE = "tests/e2e/test_lessons.py::test_the_lesson_passes"
ASTRO_SERVICES = (
    "tests/project/test_astro.py::test_a_service_is_a_pinned_image_that_airflow_can_reach"
)
ASTRO_DOWN = "tests/containers/test_astro_override.py::test_down_leaves_nothing"
ASTRO_VENV = (
    "tests/project/test_venv.py"
    "::test_an_environment_that_the_astro_cli_has_changed_is_made_again_with_a_word"
)
# Commands that take too long here, or need Docker: the test, or the step of the gate, that runs
# each of them.
ELSEWHERE = {
    "make demo": "tests/e2e/test_demo.py::test_the_demo_loads_everything_and_shows_it",
    "make airflow": "tests/e2e/test_airflow.py"
    "::test_the_feeds_run_green_in_airflow_and_load_as_in_the_demo",
    "make reports": "tests/integration/local/reports/test_run.py"
    "::test_the_service_runs_until_ctrl_c",
    ".venv/bin/python -m tests.bench.reports": "tests/unit/bench/test_reports.py"
    "::test_the_page_has_a_line_for_each_way",
    **{
        command: "tests/integration/reports/test_api.py::test_an_example_of_the_readme_works"
        for command in commands("docs/reports.md")
        if command.startswith("curl ")
    },
    **dict.fromkeys(
        commands("docs/rejects.md"),
        "tests/e2e/test_rejects_page.py::test_a_step_prints_what_the_page_shows",
    ),
    **dict.fromkeys(
        commands("docs/contracts.md"),
        "tests/e2e/test_contracts_page.py::test_a_day_ends_as_the_page_shows",
    ),
    **dict.fromkeys(
        (c for c in commands("docs/arrivals.md") if "--force" in c),
        "tests/integration/landfall/test_arrivals_cli.py"
        "::test_a_duplicate_is_told_by_load_plan_and_status_and_can_be_forced",
    ),
    # The reader's feed says nothing of loaded files.
    ".venv/bin/landfall tidy --feed include/feeds/orders.yaml --dry-run": (
        "tests/integration/landfall/test_tidy.py::test_the_command_says_what_became_of_each_file"
    ),
    ".venv/bin/landfall status --feed include/feeds/orders.yaml --late": (
        "tests/integration/landfall/test_late.py::test_a_silent_feed_is_late_until_a_file_comes"
    ),
    ".venv/bin/python -m include.local put FILE KEY": "tests/unit/local/test_main.py"
    "::test_put_names_a_file_that_is_not_there",
    "make screenshots": "tests/unit/local/airflow/test_screenshots.py"
    "::test_the_script_takes_exactly_the_pictures_that_are_shown",
    "make test": ".ci/run::suite test",
    **{f"make {step}": f"{GATE}::make {step}" for step in GATE_STEPS},
    "make format": "tests/project/test_make.py::test_format_formats_and_fixes",
    "make lock": "tests/project/test_requirements.py::test_the_lock_has_the_required_versions",
    "make docker": ".ci/run::make docker",
    "make docker-down": "tests/containers/test_engine.py::test_an_engine_is_started_once_and_ended",
    "make test-celery": f"{GATE}::make test-celery",
    "make test-containers": ".ci/run::suite test-containers",
    "make bench": "tests/unit/bench/test_page.py::test_only_what_is_between_the_markers_changes",
    ".venv/bin/python -m tests.support.parquet_types": "tests/unit/landfall/test_parquet_types.py"
    "::test_the_page_is_what_the_engine_takes",
    ".venv/bin/python -m tests.support.sdk_uses": "tests/unit/support/test_sdk_uses.py"
    "::test_the_page_has_each_use_and_each_difference",
    "make memory": "tests/unit/bench/test_memory.py::test_a_load_above_the_limit_is_marked",
    "make bench-plain": "tests/unit/bench/test_plain.py"
    "::test_a_plain_load_that_takes_much_more_than_a_feed_is_told",
    "make bench-merge": "tests/unit/bench/test_merge.py"
    "::test_an_upsert_that_takes_much_more_than_sql_by_hand_is_told",
    **dict.fromkeys(
        (c for c in commands("docs/merge.md") if c.startswith(".venv/bin/landfall forget")),
        "tests/integration/landfall/test_merge_undo.py"
        "::test_files_that_need_each_other_are_undone_together",
    ),
    "make bench-formats": "tests/unit/bench/test_formats.py"
    "::test_the_table_has_the_limit_of_duckdb_and_what_is_broken",
    "make bench-polluted": "tests/unit/landfall/test_polluted.py::test_the_page_has_these_counts",
    "make bench-dirty": "tests/unit/bench/test_dirty.py"
    "::test_as_many_rows_are_spoiled_as_the_table_says",
    "make bench-beside COMMIT=…": "tests/unit/bench/test_beside.py"
    "::test_a_share_is_that_of_the_medians",
    "make chaos": "tests/integration/landfall/test_guarantees.py"
    "::test_after_sigkill_a_rerun_is_right_and_no_reader_saw_a_part",
    "make clean": "tests/project/test_make.py::test_clean_leaves_the_files_of_git",
    ".venv/bin/python -m include.local compare": "tests/e2e/test_demo.py"
    "::test_the_comparison_is_a_command_too",
    "astro dev start": ASTRO_SERVICES,
    "astro dev start --wait 5m": ASTRO_SERVICES,
    **{f"astro dev {command}": ASTRO_DOWN for command in ("restart --wait 5m", "stop", "kill")},
    "astro dev start --standalone": "tests/unit/astro_sdk/test_patching.py"
    "::test_without_a_plugins_folder_the_projects_own_import_patches",
    "astro dev start --standalone --wait 5m": "tests/unit/astro_sdk/test_patching.py"
    "::test_the_settings_of_the_page_let_a_standalone_airflow_import_astro",
    "astro dev parse --standalone": "tests/e2e/test_astro_parse.py"
    "::test_every_dag_of_the_project_parses",
    "astro dev pytest --standalone": "tests/e2e/test_astro_pytest.py"
    "::test_all_tests_that_the_image_can_run_are_collected",
    **{f"astro dev {command} --standalone": ASTRO_VENV for command in ("stop", "kill")},
    "astro dev restart --standalone --wait 5m": ASTRO_VENV,
    **dict.fromkeys(
        (c for c in commands("docs/astro-cli.md") if "project=" in c or "$project" in c),
        "tests/unit/dags/test_own_project.py::test_a_project_of_another_team_reads_its_feeds",
    ),
    "python -m include.landfall": "tests/unit/plugins/test_airflow_bridge.py"
    "::test_a_command_that_a_log_names_is_there_where_it_is_named",
    "astro deploy": "tests/project/test_astro.py"
    "::test_the_image_is_one_pinned_runtime_with_a_python_for_astro_sdk",
    **dict.fromkeys(
        ("astro init", "astro local check", "astro local start --docker"),
        "tests/project/test_requirements.py"
        "::test_the_next_version_of_the_astro_cli_takes_the_project",
    ),
    "astro dev parse": f"{GATE}::astro dev parse",
    "astro dev pytest": f"{GATE}::astro dev pytest",
    "make celery": f"{CELERY}::test_make_celery_ends_with_a_green_run_and_says_where_to_look",
    "make celery-down": f"{CELERY}::test_make_celery_down_leaves_nothing",
    "make bench-celery": "tests/unit/bench/test_workers.py"
    "::test_only_what_is_between_the_markers_changes",
    f"docker build -t landfall/airflow:local -f {CUSTOM} .": (
        "tests/containers/test_celery_images.py::test_its_packages_are_the_lock_s"
    ),
    "make training-image": "tests/containers/test_training.py::image",
    "make lessons": COURSE,
    f"{LESSON}9": COURSE,
    **{f"{LESSON}{lesson.name}": COURSE for lesson in LESSONS},
}
