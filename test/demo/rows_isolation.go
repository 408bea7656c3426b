package main

// isolationRows bring execution roles to where they do not belong.
func isolationRows() []row {
	return []row{
		{
			"ben", "ServiceAccount of PayrollRole in emr-payroll, which may hold no other; emr-jobs has it as well", untrustedCode, warned, "cross-namespace-role", "",
			createFile(ben, "payroll-account.yaml"),
		},
		{
			"ben", "ServiceAccount of ReportingRole in emr-payroll, as EMR makes it for StartJobRun", untrustedCode, denied, "execution-role-isolation", "",
			createFile(ben, "payroll-other-role.yaml"),
		},
		{
			"ben", "ACK JobRun in emr-payroll with ReportingRole", untrustedCode, warned, "execution-role-isolation", "",
			createFile(ben, "payroll-jobrun.yaml"),
		},
	}
}
