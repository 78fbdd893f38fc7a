/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main: the program cni-passt-hook, an OCI hook: attaches a container before it
 * starts (createRuntime, prestart), detaches it when it has gone (poststop). The
 * runtime's state comes on standard input, the rest from its bundle. Says
 * nothing when all is well; else one line on stderr, and in the log, as crun
 * throws a hook's output away.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "hooks/hook.h"
#include "hooks/pass.h"
#include "plugin/attach/front.h"
#include "plugin/json/cni.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

#define PASS	"pass"

enum exit_status { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

struct verb {
	const char *name;
	int (*run)(struct hook_call *c, const struct settings_args *args, struct err *e);
	bool forgiving;		/* its failure is told and is none: the container is gone */
};

static int read_bundle(struct hook_call *c, struct err *e)
{
	char path[CONF_PATH_MAX + sizeof("/config.json")];
	FD_OWNED int fd = -1;
	struct stat st;
	size_t len;
	char *text;
	int r;

	if (!c->state.bundle[0])
		return err_set(e, ERR_DECODE, "state on stdin: bundle: is missing");
	snprintf(path, sizeof(path), "%s/config.json", c->state.bundle);
	/* O_NONBLOCK: a FIFO in its place must not hold us. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, ERR_IO, "%.200s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_IO, "%.200s: is not a file", path);
	text = cni_read(fd, path, &len, e);
	if (!text)
		return -1;
	r = oci_read_bundle(text, len, &c->bundle, e);
	free(text);
	return r;
}

/* Only root opens what the container's first process does not show: then, if
 * the bundle has the hook for it, the namespace comes from inside. */
static int attach_or_wait(struct hook_call *c, struct err *e)
{
	if (hook_attach(c, -1, e) == 0)
		return 0;
	if (e->code != ERR_PRIVILEGE || c->bundle.net != OCI_NET_OWN || !hook_is_hidden(c))
		return -1;
	if (oci_has_hook(&c->bundle, "createContainer", PASS)) {
		*e = ERR_INIT;
		return pass_wait(c, e);
	}
	return err_hint(e, "crun of an ordinary user hides its containers so early: configure this"
			   " program as createContainer hook, too, with the argument \"" PASS "\"");
}

static int run_attach(struct hook_call *c, const struct settings_args *args, struct err *e)
{
	struct json_object *annotations;
	int r;

	if (read_bundle(c, e) < 0)
		return -1;
	annotations = c->state.annotations ? c->state.annotations : c->bundle.annotations;
	if (settings_read(args, annotations, &c->settings, e) < 0)
		return -1;
	if (!c->settings.attach)
		return 0;
	r = hook_target(c, e);
	return r > 0 ? attach_or_wait(c, e) : r;
}

static int run_detach(struct hook_call *c, const struct settings_args *args, struct err *e)
{
	(void)args;
	return hook_detach(c->state.id, e);
}

static int run_pass(struct hook_call *c, const struct settings_args *args, struct err *e)
{
	(void)args;
	return pass_netns(c->state.id, e);
}

static const struct verb verbs[] = {
	{ "attach", run_attach, false },
	{ "detach", run_detach, true },
	{ PASS, run_pass, false },
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* One file of hooks.d serves several stages with the same arguments. */
static const struct verb *verb_of(const struct oci_state *s, struct err *e)
{
	if (s->status == OCI_NONE) {
		err_set(e, ERR_DECODE, "state on stdin: status: is missing or unknown");
		err_hint(e, "name what to do: attach or detach");
		return NULL;
	}
	return find_verb(s->status == OCI_STOPPED ? "detach" : "attach");
}

/* The one place an error is told. */
static enum exit_status report(const struct hook_call *c, const struct verb *v, struct err *e)
{
	const struct conf *conf = &c->settings.keys.conf;
	/* Before the settings are read it is as they are by default. */
	enum log_target target = conf->ifname[0] ? conf->log_target : LOGT_SYSLOG;

	front_clean(e->msg);
	front_clean(e->details);
	fprintf(stderr, "cni-passt-hook: %s%s%.128s%s%s%s%s\n", v ? v->name : "", v ? " " : "",
		c->state.id, v || c->state.id[0] ? ": " : "", e->msg, e->details[0] ? "; " : "",
		e->details);
	if (target != LOGT_STDERR && log_open(target, LOGL_INFO, conf->log_path, c->state.id) == 0)
		log_error("%s failed code=%s: %s", v ? v->name : "hook", err_name(e->code), e->msg);
	return v && v->forgiving ? EXIT_DONE : EXIT_FAILED;
}

static int read_state(struct hook_call *c, struct err *e)
{
	size_t len;
	char *text = cni_read(STDIN_FILENO, "state on stdin", &len, e);
	int r;

	if (!text)
		return -1;
	r = oci_read_state(text, len, &c->state, e);
	free(text);
	return r;
}

static enum exit_status run(const struct verb *v, const struct settings_args *args)
{
	struct hook_call c = { .state = { .status = OCI_NONE } };
	enum exit_status status = EXIT_DONE;
	struct err e = ERR_INIT;
	int r = read_state(&c, &e);

	/* To detach, the id is enough. */
	if (r < 0 && v && v->forgiving && c.state.id[0])
		r = 0;
	if (r == 0 && !v)
		v = verb_of(&c.state, &e);
	log_open(LOGT_SYSLOG, LOGL_INFO, NULL, c.state.id);
	log_names(c.state.id, "");
	log_role("hook");
	if (r < 0 || !v || v->run(&c, args, &e) < 0)
		status = report(&c, v, &e);
	settings_drop(&c.settings);
	oci_drop_bundle(&c.bundle);
	oci_drop_state(&c.state);
	return status;
}

static void help(void)
{
	puts("Usage: cni-passt-hook [attach|detach|pass] [option...]      < STATE\n"
	     "An OCI hook: attaches a container's network namespace to the host's network\n"
	     "(createRuntime, prestart), and detaches it (poststop). Which of them is told by\n"
	     "the state's status where no word tells it.\n"
	     "\n"
	     "  --conf FILE       network configuration (*.conf, *.conflist), with the key \"hook\"\n"
	     "  --ifname NAME     the container's interface (eth0)\n"
	     "  --resolv-conf     write the container's /etc/resolv.conf\n"
	     "  --hosts           add to the container's /etc/hosts\n"
	     "  --skip-shared     do nothing, instead of failing, where the container shares\n"
	     "                    its network namespace\n"
	     "  --help, --version\n"
	     "\n"
	     "pass is for a createContainer hook, where crun is started by an ordinary user.\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage; detach never fails.");
}

enum option_id { OPT_CONF = 256, OPT_IFNAME, OPT_RESOLV_CONF, OPT_HOSTS, OPT_SKIP, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{ "conf", required_argument, NULL, OPT_CONF },
	{ "ifname", required_argument, NULL, OPT_IFNAME },
	{ "resolv-conf", no_argument, NULL, OPT_RESOLV_CONF },
	{ "hosts", no_argument, NULL, OPT_HOSTS },
	{ "skip-shared", no_argument, NULL, OPT_SKIP },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* Returns an exit status, or -1 to go on. */
static int take_option(struct settings_args *a, int opt)
{
	switch (opt) {
	case OPT_CONF:
		a->conf_path = optarg;
		return -1;
	case OPT_IFNAME:
		a->ifname = optarg;
		return -1;
	case OPT_RESOLV_CONF:
		a->resolv_conf = true;
		return -1;
	case OPT_HOSTS:
		a->hosts = true;
		return -1;
	case OPT_SKIP:
		a->skip_shared = true;
		return -1;
	case OPT_HELP:
		help();
		return EXIT_DONE;
	case OPT_VERSION:
		puts("cni-passt-hook " PACKAGE_VERSION);
		return EXIT_DONE;
	default:
		return EXIT_USAGE;	/* getopt has said it */
	}
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "cni-passt-hook: %s%.80s; see cni-passt-hook --help\n", what, word);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct settings_args args = { .conf_path = NULL };
	const struct verb *v = NULL;
	int opt, r;

	front_fill_std_fds();
	signal(SIGPIPE, SIG_IGN);
	/* Runtimes may give a hook no argument at all, not even its name. */
	while (argc > 0 && (opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		r = take_option(&args, opt);
		if (r >= 0)
			return r;
	}
	if (argc > 0 && optind + 1 < argc)
		return usage("one word too many: ", argv[optind + 1]);
	if (argc > 0 && optind < argc) {
		v = find_verb(argv[optind]);
		if (!v)
			return usage("not attach, detach or pass: ", argv[optind]);
	}
	return run(v, &args);
}
