package bundles

import "strings"

// mirror is a public copy of the conda channels and of PyPI. The prefixes
// stand for the same tree at every operator: conda/pkgs/main,
// conda/cloud/conda-forge, pypi + "/requests/".
type mirror struct {
	conda []string // prefixes that hold pkgs/ and cloud/; the first is suggested
	pypi  []string // simple indexes; the first is suggested
}

// Prefixes as the operators' own help pages give them, or as they are in wide
// use. None is contacted unless a user configures it.
var mirrors = []mirror{
	{conda: []string{"https://mirrors.tuna.tsinghua.edu.cn/anaconda"}, pypi: []string{"https://pypi.tuna.tsinghua.edu.cn/simple", "https://mirrors.tuna.tsinghua.edu.cn/pypi/web/simple"}},
	{conda: []string{"https://mirrors.ustc.edu.cn/anaconda"}, pypi: []string{"https://mirrors.ustc.edu.cn/pypi/simple", "https://mirrors.ustc.edu.cn/pypi/web/simple", "https://pypi.mirrors.ustc.edu.cn/simple"}},
	{conda: []string{"https://mirrors.aliyun.com/anaconda"}, pypi: []string{"https://mirrors.aliyun.com/pypi/simple"}},
	{conda: []string{"https://mirrors.bfsu.edu.cn/anaconda"}, pypi: []string{"https://mirrors.bfsu.edu.cn/pypi/web/simple"}},
	{conda: []string{"https://mirror.nju.edu.cn/anaconda", "https://mirrors.nju.edu.cn/anaconda"}, pypi: []string{"https://mirror.nju.edu.cn/pypi/web/simple", "https://mirrors.nju.edu.cn/pypi/web/simple"}},
	{conda: []string{"https://mirror.sjtu.edu.cn/anaconda", "https://mirrors.sjtug.sjtu.edu.cn/anaconda"}, pypi: []string{"https://mirror.sjtu.edu.cn/pypi/web/simple"}},
	{conda: []string{"https://mirrors.zju.edu.cn/anaconda"}, pypi: []string{"https://mirrors.zju.edu.cn/pypi/web/simple"}},
	{pypi: []string{"https://mirrors.cloud.tencent.com/pypi/simple"}},
	{pypi: []string{"https://mirrors.huaweicloud.com/repository/pypi/simple", "https://repo.huaweicloud.com/repository/pypi/simple"}},
	{pypi: []string{"https://pypi.org/simple"}},
}

// The upstream servers name their channels differently.
const (
	condaDefaults  = "https://repo.anaconda.com/pkgs"
	condaCommunity = "https://conda.anaconda.org"
)

// Mirrors are other addresses of the same conda channel or Python index as
// url, best known first; none when url is no known mirror. They are to be
// suggested, never to be written by themselves.
func Mirrors(url string) []string {
	url = strings.TrimSuffix(strings.TrimSpace(url), "/")
	if rest, ok := strings.CutPrefix(url, "http://"); ok {
		url = "https://" + rest
	}
	if path, from, ok := condaPath(url); ok {
		var out []string
		for i, m := range mirrors {
			if i != from && len(m.conda) > 0 {
				out = append(out, m.conda[0]+path)
			}
		}
		if from >= 0 {
			if rest, ok := strings.CutPrefix(path, "/cloud/"); ok {
				out = append(out, condaCommunity+"/"+rest)
			} else if rest, ok := strings.CutPrefix(path, "/pkgs/"); ok {
				out = append(out, condaDefaults+"/"+rest)
			}
		}
		return out
	}
	for i, m := range mirrors {
		for _, p := range m.pypi {
			rest, ok := under(url, p)
			if !ok {
				continue
			}
			var out []string
			for j, other := range mirrors {
				if j != i && len(other.pypi) > 0 {
					out = append(out, other.pypi[0]+rest)
				}
			}
			return out
		}
	}
	return nil
}

// condaPath is the part of a channel's address that is the same at every
// mirror, and whose mirror it is (-1: upstream).
func condaPath(url string) (path string, from int, ok bool) {
	if rest, ok := under(url, condaDefaults); ok {
		return "/pkgs" + rest, -1, true
	}
	if rest, ok := under(url, condaCommunity); ok && rest != "" {
		return "/cloud" + rest, -1, true
	}
	for i, m := range mirrors {
		for _, p := range m.conda {
			if rest, ok := under(url, p); ok {
				return rest, i, true
			}
		}
	}
	return "", 0, false
}

// under cuts prefix from url at a path boundary.
func under(url, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(url, prefix)
	return rest, ok && (rest == "" || rest[0] == '/')
}
