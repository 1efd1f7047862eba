"""What stands behind Details: a report for a fault of ours, plain words for a slip of the user's."""

from __future__ import annotations

from latentlab.core.errors import InputError
from latentlab.core.messages import ErrorReport
from latentlab.ui.dialogs.text_dialog import error_dialog


def _report(error: Exception) -> ErrorReport:
    try:
        raise error
    except Exception as caught:
        return ErrorReport.of(caught)


def test_a_slip_of_the_user_shows_no_traceback(qtbot):
    report = _report(InputError("There is no folder x", where="data.spec", hint="Choose another."))
    dialog = error_dialog(report, None)
    qtbot.addWidget(dialog)
    assert "Traceback" in report.details  # The log keeps it.
    assert dialog.text.toPlainText() == ""
    assert dialog.text.isHidden()


def test_a_fault_of_ours_shows_all_there_is(qtbot):
    dialog = error_dialog(_report(RuntimeError("broken")), None)
    qtbot.addWidget(dialog)
    assert "Traceback" in dialog.text.toPlainText()
