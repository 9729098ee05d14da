"""Intake, 网格发现: takes reports and photos, answers with a receipt, and tells the reporter how it goes on."""
