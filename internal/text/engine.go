package text

var engineTexts = map[string]entry{
	"engine.cannot-plan":        {"this change could not be planned: {error}", "无法制定这项修改：{error}"},
	"engine.journal":            {"the journal of earlier runs is damaged, so nothing is changed: {path}: {why}", "以往运行的日志已损坏，因此不做任何更改：{path}：{why}"},
	"engine.journal-garbage":    {"the content does not match its checksum", "内容与校验和不符"},
	"engine.journal-newer":      {"a newer trustfix wrote it (schema {schema}); use that one", "由更新版本的 trustfix 写入（格式 {schema}），请使用那个版本"},
	"engine.journal-missing":    {"the file is missing", "文件缺失"},
	"engine.backup-damaged":     {"the backup is missing or does not match its checksum; it is not used", "备份缺失或与校验和不符，不会使用它"},
	"engine.needs-root":         {"needs root rights", "需要 root 权限"},
	"engine.interrupted":        {"interrupted; this step was taken back", "已中断，这一步已撤销"},
	"engine.builds-on":          {"it builds on {fix}, which does not stand", "它依赖于 {fix}，而后者没有生效"},
	"engine.stale":              {"{path} changed after the plan was made; run trustfix again", "{path} 在制定计划之后被改动，请重新运行 trustfix"},
	"engine.no-space":           {"no space: {path} has {free} left, and this needs {need} (backups included); nothing was touched", "空间不足：{path} 只剩 {free}，而这一步需要 {need}（含备份）；未作任何改动"},
	"engine.cannot-write":       {"cannot change {path}: {error}", "无法修改 {path}：{error}"},
	"engine.still-there":        {"it did not help: {finding}", "没有起作用：{finding}"},
	"engine.not-taken-back":     {"{why}; and it could not be taken back: {error}", "{why}；并且无法撤销：{error}"},
	"engine.and":                {"{first}; {second}", "{first}；{second}"},
	"engine.special-file":       {"{path} was a pipe, socket or device before; that is not brought back", "{path} 原来是管道、套接字或设备文件，无法恢复"},
	"engine.undo-command":       {"`{command}` failed: {error}", "`{command}` 执行失败：{error}"},
	"engine.recovered-finished": {"run {run} was cut short after its last step; every change is in place and it is now closed", "运行 {run} 在最后一步之后中断；所有更改均已生效，现已收尾"},
	"engine.recovered-undone":   {"run {run} was cut short; everything it had changed is back as it was", "运行 {run} 中途中断；它所做的更改已全部恢复原状"},
	"engine.recovered-rollback": {"the rollback of run {run} was cut short; it is finished now", "运行 {run} 的回滚中途中断，现已完成"},
}
