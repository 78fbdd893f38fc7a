/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/groups.h"

struct membership *groups_find(struct groups *g, const struct addr *group)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (addr_eq(&g->members[i].group, group))
			return &g->members[i];
	return NULL;
}

struct membership *groups_add(struct groups *g, const struct addr *group)
{
	if (g->n == GROUPS_MAX)
		return NULL;
	g->members[g->n] = (struct membership){ .group = *group };
	return &g->members[g->n++];
}

void groups_remove(struct groups *g, struct membership *m)
{
	*m = g->members[--g->n];
}

bool groups_add_port(struct membership *m, uint16_t port)
{
	for (uint32_t i = 0; i < m->nports; i++)
		if (m->ports[i] == port)
			return false;
	if (m->nports == GROUP_PORTS_MAX)
		return false;
	m->ports[m->nports++] = port;
	return true;
}

void groups_spoke(struct groups *g, const struct addr *group, uint16_t port)
{
	for (uint32_t i = 0; i < GROUP_SPOKEN; i++)
		if (g->spoken[i].port == port && addr_eq(&g->spoken[i].group, group))
			return;
	g->spoken[g->next_spoken].group = *group;
	g->spoken[g->next_spoken].port = port;
	g->next_spoken = (g->next_spoken + 1) % GROUP_SPOKEN;
}

void groups_add_spoken(const struct groups *g, struct membership *m)
{
	for (uint32_t i = 0; i < GROUP_SPOKEN; i++)
		if (g->spoken[i].port && addr_eq(&g->spoken[i].group, &m->group))
			groups_add_port(m, g->spoken[i].port);
}

struct membership *groups_expired(struct groups *g, uint64_t now)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (g->members[i].due <= now)
			return &g->members[i];
	return NULL;
}

uint64_t groups_next(const struct groups *g)
{
	uint64_t next = g->query_due ? g->query_due : UINT64_MAX;

	for (uint32_t i = 0; i < g->n; i++)
		next = MIN_OF(next, g->members[i].due);
	return next;
}

void groups_defer(struct groups *g, uint64_t ms)
{
	for (uint32_t i = 0; i < g->n; i++)
		g->members[i].due += ms;
}

void groups_sent(struct groups *g, uint64_t hash, uint64_t now)
{
	g->echoes[g->next_echo].hash = hash;
	g->echoes[g->next_echo].until = now + GROUP_ECHO_MS;
	g->next_echo = (g->next_echo + 1) % GROUP_ECHOES;
}

bool groups_is_echo(struct groups *g, uint64_t hash, uint64_t now)
{
	for (uint32_t i = 0; i < GROUP_ECHOES; i++) {
		if (g->echoes[i].hash != hash || g->echoes[i].until < now)
			continue;
		g->echoes[i].until = 0;
		return true;
	}
	return false;
}
